"""Google's own client against the double of Drive, by the description that the client ships.

    google_drive_client.py ADDRESS TOKEN_OF_APP_DATA TOKEN_OF_OWN_FILES

Ends with an error if the double does not do what the client expects of Drive.
"""

import json
import os
import sys

import googleapiclient
from google.auth.exceptions import RefreshError
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaInMemoryUpload

ADDRESS, *TOKENS = sys.argv[1:]
TYPE = "application/vnd.portal-backup.key"


def drive(token):
    folder = os.path.dirname(googleapiclient.__file__)
    with open(os.path.join(folder, "discovery_cache/documents/drive.v3.json")) as file:
        description = json.load(file)
    description.pop("mtlsRootUrl", None)
    description["rootUrl"] = ADDRESS + "/"
    description["baseUrl"] = ADDRESS + "/drive/v3/"
    return build_from_document(description, credentials=Credentials(token=token))


def refused(call, status, reason):
    try:
        call.execute()
    except HttpError as error:
        found = (error.resp.status, error.error_details[0]["reason"])
        assert found == (status, reason), found
        return
    raise AssertionError(f"{call.uri} is not refused")


def create(files, name, folder, content, **more):
    media = MediaInMemoryUpload(content, mimetype=TYPE)
    body = {"name": name, "parents": [folder], **more}
    return files.create(body=body, media_body=media, fields="id,name,parents,size,createdTime")


def lives(service, space, folder):
    files = service.files()
    [made_id] = files.generateIds(count=1, space=space).execute()["ids"]
    made = create(files, "it's", folder, b"a key", id=made_id, mimeType=TYPE).execute()
    assert made["id"] == made_id and made["name"] == "it's" and made["size"] == "5", made
    refused(create(files, "it's", folder, b"other", id=made_id), 409, "fileIdInUse")
    refused(create(files, "it's", folder, b"other", id="chosen"), 400, "invalid")
    refused(create(files, "x", "nowhere", b""), 404, "notFound")
    refused(create(files, "x", made_id, b""), 403, "parentNotAFolder")

    q = r"name = 'it\'s' and 'me' in owners and trashed = false and mimeType = '" + TYPE + "'"
    found = files.list(q=q, spaces=space, fields="nextPageToken,files(id,owners/emailAddress)")
    [file] = found.execute()["files"]
    assert file == {"id": made_id, "owners": [{"emailAddress": "alice.w@example.com"}]}, file
    assert files.get_media(fileId=made_id).execute() == b"a key"
    assert files.get(fileId=made_id).execute()["mimeType"] == TYPE

    refused(files.list(q="name ~ 'x'", spaces=space), 400, "invalid")
    refused(files.list(spaces=space, fields="files(nome)"), 400, "invalidParameter")
    refused(files.list(spaces=space, pageSize=1001), 400, "invalid")
    refused(files.list(spaces=space, pageToken="made up"), 400, "invalid")
    refused(files.list(spaces="attic"), 400, "invalid")
    refused(service.about().get(), 400, "required")
    about = service.about().get(fields="user(emailAddress),storageQuota").execute()
    assert about["user"] == {"emailAddress": "alice.w@example.com"}, about
    assert int(about["storageQuota"]["limit"]) > int(about["storageQuota"]["usage"])

    for number in range(7):
        create(files, f"page {number}", folder, b"x").execute()
    request, names = files.list(q="name contains 'page'", spaces=space, pageSize=3), []
    while request:
        page = request.execute()
        names += [file["name"] for file in page["files"]]
        request = files.list_next(request, page)
    assert sorted(names) == [f"page {number}" for number in range(7)], names

    assert files.delete(fileId=made_id).execute() == ""
    refused(files.get(fileId=made_id), 404, "notFound")
    refused(files.delete(fileId=made_id), 404, "notFound")


hidden, own = map(drive, TOKENS)
lives(hidden, "appDataFolder", "appDataFolder")
top = {"name": "Keys", "mimeType": "application/vnd.google-apps.folder", "parents": ["root"]}
lives(own, "drive", own.files().create(body=top, fields="id").execute()["id"])

refused(hidden.files().list(), 403, "insufficientScopes")
refused(own.files().list(spaces="appDataFolder"), 403, "insufficientScopes")
refused(create(own.files(), "x", "appDataFolder", b""), 403, "insufficientScopes")
in_drive = own.files().list(fields="files(spaces)").execute()["files"]
assert all(file["spaces"] == ["drive"] for file in in_drive), "the hidden folder is shown"
try:
    drive("unknown").about().get(fields="user").execute()
    raise AssertionError("a token is taken that nobody gave out")
except RefreshError:
    pass  # What the client makes of 401.
print("as Google's client expects")
