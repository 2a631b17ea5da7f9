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


class Keys(requests.auth.AuthBase):
    """The key of whoever may ask for a path, and the signature of the device."""

    def __call__(self, request):
        path = urlsplit(request.url).path
        key = SCENE["custodianKey" if "/custodians/" in path else "clientKey"]
        request.headers["Authorization"] = f"Bearer {key}"
        if path.startswith("/v1/") and request.method in ("POST", "PUT"):
            body = request.body or b""
            body = body.encode() if isinstance(body, str) else body
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            signature = DEVICE.sign(signed_bytes(request.method, path, body))
            signature = base64.urlsafe_b64encode(signature).decode().rstrip("=")
            request.headers["Content-Digest"] = f"sha-256=:{digest}:"
            request.headers["X-Portal-Device-Signature"] = signature
        return request


schemathesis.auth.set_from_requests(Keys())


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
