"""Who sends the requests that Schemathesis makes of the service's description, and with what.

Loaded by `st run` as its hooks. PORTAL_SCENE names a file: the keys of a custodian, a client and
its device, and ids of what there is.
"""

import base64
import hashlib
import json
import os
from pathlib import Path
from urllib.parse import urlsplit

import requests
import schemathesis
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import strategies as st

SCENE = json.loads(Path(os.environ["PORTAL_SCENE"]).read_text())
DEVICE = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(SCENE["device"]))


def signed_bytes(method, path, body):
    """What a device signs, as docs/service.md says."""
    fields = [SCENE["custodian"], SCENE["client"], method, path]
    fields = [field.encode() for field in fields] + [hashlib.sha256(body).digest(), b""]
    prefixed = [len(field).to_bytes(4, "big") + field for field in fields]
    return b"portal-api/1 device request\n" + b"".join(prefixed)


class Key(requests.auth.AuthBase):
    """The API key of one who may ask, as the scene calls it."""

    def __init__(self, name):
        self.name = name

    def __call__(self, request):
        request.headers["Authorization"] = f"Bearer {SCENE[self.name]}"
        return request


class Device(Key):
    """The client's key, and the signature of its device."""

    def __call__(self, request):
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        path = urlsplit(request.url).path
        signature = DEVICE.sign(signed_bytes(request.method, path, body))
        signature = base64.urlsafe_b64encode(signature).decode().rstrip("=")
        request.headers["Content-Digest"] = f"sha-256=:{digest}:"
        request.headers["X-Portal-Device-Signature"] = signature
        return super().__call__(request)


def needs(*schemes):
    """Whether an operation asks for these, and for nothing else."""

    def does(context):
        security = context.operation.definition.raw.get("security", [])
        return [sorted(one) for one in security] == [sorted(schemes)]

    return does


auth = schemathesis.auth.set_from_requests
auth(Key("custodianKey")).apply_to(needs("custodianKey"))
auth(Key("clientKey")).apply_to(needs("clientKey"))
auth(Device("clientKey")).apply_to(needs("clientKey", "deviceSignature", "contentDigest"))


@schemathesis.hook
def after_call(_context, case, response):
    """Notes what was asked for, and whether it was let in."""
    with Path(SCENE["called"]).open("a") as called:
        method = case.operation.method.upper()
        print(method, case.operation.path, response.status_code, file=called)


@schemathesis.hook
def map_path_parameters(_context, parameters):
    """Half of the ids are of something that there is."""
    for name, value in (parameters or {}).items():
        known = SCENE["ids"].get(name)
        if known and sum(str(value).encode()) % 2:
            parameters[name] = known[len(str(value)) % len(known)]
    return parameters


def frame(secret, head, message):
    """The body of a session's post, as docs/service.md says."""
    head = json.dumps(head).encode()
    return secret + len(head).to_bytes(4, "big") + head + message


def operation(name, **fields):
    """The head of a first post."""
    return st.fixed_dictionaries({"operation": st.just(name), **fields})


KEY = st.just(SCENE["deviceKey"])
HEADS = st.one_of(
    st.just({}),
    operation("generate", deviceKey=KEY, curves=st.just({"ED25519": {}})),
    operation("confirm", deviceKey=KEY),
    operation("sign", payloads=st.just({"ED25519": {"message": "bQ"}})),
    operation(
        "backUp",
        backup=st.text("abc", min_size=1, max_size=3),
        method=st.sampled_from(["PASSWORD", "com.example.usb"]),
        completion=st.sampled_from(["COMMIT", "NOTICE"]),
    ),
    operation(
        "recover",
        deviceKey=KEY,
        pairs=st.sampled_from(SCENE["ids"]["pair"]).map(lambda pair: {"ED25519": pair}),
    ),
)
FRAMES = st.builds(frame, st.binary(min_size=32, max_size=32), HEADS, st.binary(max_size=300))
schemathesis.openapi.media_type("application/vnd.portal.mpc", st.one_of(st.binary(), FRAMES))
