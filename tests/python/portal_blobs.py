#!/usr/bin/env python3
"""A second implementation of Portal's blobs, shares and eject output: it writes test vectors.

    portal_blobs.py DIR [SEED]    write vectors to DIR/opens and DIR/refused

No genuine blob of Portal's is public. What is known is a description, in the README of
`crates/portal-import`; this was written from it, apart from the reader in Rust. The committed
vectors are those of the seed "portal-import 1"; without a seed all is random.

Needs Python 3.11 and `cryptography`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

Json = dict[str, Any]
Point = tuple[int, int]
Random = Callable[[int], bytes]

ITERATIONS = 100_000


# --- Randomness, repeatable for a seed ------------------------------------------------------------


def random_for(seed: str | None, name: str) -> Random:
    """Bytes of the operating system, or those that the seed and the name give."""
    if seed is None:
        return os.urandom
    stream = hashlib.shake_256(f"{seed}/{name}".encode())
    taken = 0

    def take(length: int) -> bytes:
        nonlocal taken
        taken += length
        return stream.digest(taken)[-length:]

    return take


def integer(random: Random, below: int) -> int:
    """A number from 1 to below - 1."""
    return 1 + int.from_bytes(random(48), "big") % (below - 1)


# --- The curves -----------------------------------------------------------------------------------


class Secp256k1:
    """By `cryptography`."""

    name = "SECP256K1"
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

    @staticmethod
    def times_generator(scalar: int) -> Point:
        """The public point of a secret."""
        numbers = ec.derive_private_key(scalar, ec.SECP256K1()).public_key().public_numbers()
        return numbers.x, numbers.y

    @staticmethod
    def compressed(point: Point) -> str:
        """SEC 1, section 2.3.3."""
        return f"{2 + point[1] % 2:02x}{point[0]:064x}"

    @staticmethod
    def private_key(scalar: int) -> str:
        """32 bytes, big-endian, in hexadecimal."""
        return f"{scalar:064x}"


class Ed25519:
    """By RFC 8032, section 5.1, since `cryptography` multiplies by no scalar of ours."""

    name = "ED25519"
    order = 2**252 + 27742317777372353535851937790883648493
    prime = 2**255 - 19
    d = -121665 * pow(121666, -1, prime) % prime
    base = (
        15112221349535400772501151409588531511454012693041857206046113283949847762202,
        46316835694926478169428394003475163141307993866256225615783033603165251855960,
    )

    @classmethod
    def add(cls, a: Point, b: Point) -> Point:
        """The sum of two points."""
        p = cls.prime
        product = cls.d * a[0] * b[0] * a[1] * b[1]
        x = (a[0] * b[1] + b[0] * a[1]) * pow(1 + product, -1, p) % p
        y = (a[1] * b[1] + a[0] * b[0]) * pow(1 - product, -1, p) % p
        return x, y

    @classmethod
    def times_generator(cls, scalar: int) -> Point:
        """The public point of a secret."""
        total, power = (0, 1), cls.base
        while scalar:
            if scalar % 2:
                total = cls.add(total, power)
            power, scalar = cls.add(power, power), scalar // 2
        return total

    @staticmethod
    def compressed(point: Point) -> str:
        """RFC 8032, section 5.1.2."""
        return (point[1] | (point[0] % 2) << 255).to_bytes(32, "little").hex()

    @staticmethod
    def private_key(scalar: int) -> str:
        """32 bytes, little-endian, in base58."""
        return base58(scalar.to_bytes(32, "little"))


CURVES = (Secp256k1, Ed25519)
Curve = type[Secp256k1] | type[Ed25519]


def base58(octets: bytes) -> str:
    """Bitcoin's alphabet; a zero byte in front is a 1."""
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, text = int.from_bytes(octets, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = alphabet[digit] + text
    zeros = len(octets) - len(octets.lstrip(b"\0"))
    return "1" * zeros + text


def check_ed25519() -> None:
    """Our arithmetic gives the public keys that `cryptography` gives."""
    for seed in (bytes(32), bytes(range(32))):
        digest = bytearray(hashlib.sha512(seed).digest()[:32])
        digest[0] &= 248
        digest[31] = digest[31] & 127 | 64
        ours = Ed25519.compressed(Ed25519.times_generator(int.from_bytes(digest, "little")))
        key = ed25519.Ed25519PrivateKey.from_private_bytes(seed).public_key()
        assert ours == key.public_bytes_raw().hex()


# --- Wallets and their backups --------------------------------------------------------------------


@dataclass
class Half:
    """One party's part of a pair."""

    place: int
    secret: int
    point: Point


@dataclass
class Pair:
    """A backup pair: two places on the line that has the private key at 0."""

    curve: Curve
    private: int
    client: Half
    server: Half
    client_id: str
    pair_id: str
    ssid: str
    auxiliary: Json = field(default_factory=dict)

    @property
    def public(self) -> Point:
        """The wallet's public key."""
        return self.curve.times_generator(self.private)


def make_pair(curve: Curve, random: Random, private: int | None = None) -> Pair:
    """A fresh backup of a fresh wallet, or of the one with this private key."""
    private = private or integer(random, curve.order)
    slope = integer(random, curve.order)

    def half() -> Half:
        place = integer(random, curve.order)
        secret = (private + slope * place) % curve.order
        return Half(place, secret, curve.times_generator(secret))

    pair = Pair(
        curve, private, half(), half(), "", "c" + random(12).hex(),
        base64.b64encode(random(32)).decode(),
    )
    assert combined(pair) == private
    return pair


def combined(pair: Pair) -> int:
    """Lagrange's interpolation at 0."""
    n, c, s = pair.curve.order, pair.client, pair.server
    client = s.place * pow(s.place - c.place, -1, n)
    server = c.place * pow(c.place - s.place, -1, n)
    return (client * c.secret + server * s.secret) % n


def auxiliary(random: Random) -> Json:
    """What CGGMP needs besides, in its real size, and what an import passes over."""

    def number(octets: int) -> str:
        return str(int.from_bytes(random(octets), "big"))

    def pedersen() -> Json:
        return {name: number(256) for name in "nst"}

    def point() -> Json:
        return {"X": number(32), "Y": number(32)}

    return {
        "p": number(128),
        "q": number(128),
        "pederson": {"client": pedersen(), "server": pedersen()},
        "allY": {"client": point(), "server": point()},
    }


# --- Shares in JSON -------------------------------------------------------------------------------

Number = Callable[[int], Any]


def point_json(point: Point, number: Number = str) -> Json:
    """A point's coordinates."""
    return {"X": number(point[0]), "Y": number(point[1])}


def share_json(pair: Pair, holder: str = "client", number: Number = str) -> Json:
    """A share as the SDKs and the native library write it."""
    sides = {"client": pair.client, "server": pair.server}
    return {
        "clientId": pair.client_id,
        "backupSharePairId": pair.pair_id,
        "signingSharePairId": "",
        "share": number(sides[holder].secret),
        "ssid": pair.ssid,
        "pubkey": point_json(pair.public, number),
        "partialPubkey": {name: point_json(half.point, number) for name, half in sides.items()},
        **pair.auxiliary,
        "bks": {name: {"X": number(half.place), "Rank": 0} for name, half in sides.items()},
    }


def custodian_json(pair: Pair, number: Number = str) -> Json:
    """A custodian's share as the reference of Portal's API has it."""
    points = {
        "clientPartialPubKey": pair.client.point,
        "serverPartialPubKey": pair.server.point,
        "yClient": pair.client.point,
        "yServer": pair.server.point,
    }
    coordinates = {
        f"{name}_{axis}": number(value)
        for name, point in points.items()
        for axis, value in zip("xy", point, strict=True)
    }
    x, y = pair.public
    return {
        "backupSharePairId": pair.pair_id,
        "clientBk": number(pair.client.place),
        "clientId": pair.client_id,
        **coordinates,
        "serverBk": number(pair.server.place),
        "share": number(pair.server.secret),
        "ssid": pair.ssid,
        "x": number(x),
        "y": number(y),
    }


def text(value: Any) -> str:
    """JSON without spaces, as Go writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def b64(value: str, pad: bool = True) -> str:
    """The standard alphabet."""
    encoded = base64.b64encode(value.encode()).decode()
    return encoded if pad else encoded.rstrip("=")


# --- Blobs ----------------------------------------------------------------------------------------


def seal_with_key(plaintext: str, random: Random) -> Json:
    """nonce ‖ ciphertext ‖ tag, under 32 random bytes."""
    key, nonce = random(32), random(12)
    sealed = nonce + AESGCM(key).encrypt(nonce, plaintext.encode(), None)
    return {"cipher_text": sealed.hex(), "key": key.hex()}


def seal_with_password(plaintext: str, password: str, random: Random) -> Json:
    """salt ‖ nonce ‖ ciphertext ‖ tag, under PBKDF2 of the password."""
    salt, nonce = random(16), random(12)
    kdf = PBKDF2HMAC(algorithm=SHA256(), length=32, salt=salt, iterations=ITERATIONS)
    key = kdf.derive(password.encode())
    sealed = salt + nonce + AESGCM(key).encrypt(nonce, plaintext.encode(), None)
    return {"cipher_text": sealed.hex(), "password": password}


# --- Vectors that open ----------------------------------------------------------------------------

Vectors = Iterator[tuple[str, Json]]
Shape = Callable[[Pair, Pair], Any]


def rn(secp256k1: Pair, ed: Pair) -> Json:
    """React Native: lower-case names, shares as objects."""
    return {
        "secp256k1": {"id": secp256k1.pair_id, "share": share_json(secp256k1)},
        "ed25519": {"id": ed.pair_id, "share": share_json(ed)},
    }


def swift(*pairs: Pair) -> Json:
    """Swift: upper-case names, shares as strings."""
    return {
        pair.curve.name: {"id": pair.pair_id, "share": text(share_json(pair))} for pair in pairs
    }


def renamed(pair: Pair, name: str, value: Any = None) -> Json:
    """A share whose partial public keys have another name, and perhaps another form."""
    share = share_json(pair)
    partials = share.pop("partialPubkey")
    return {**share, name: value or partials}


def listed(pair: Pair, *halves: Half) -> Json:
    """A share with its partial public keys in a list."""
    return renamed(pair, "partialPubKey", [point_json(half.point) for half in halves])


NO_ERROR = {"code": 0, "prefix": "", "error": "", "message": "", "id": ""}

# What is in the blob, which of the two wallets come out, and what is remarkable about it.
SHAPES: dict[str, tuple[Shape, str, str]] = {
    "react-native": (rn, "both", "lower-case curves, shares as objects"),
    "swift": (swift, "both", "upper-case curves, shares as strings"),
    "upper-case-objects": (
        lambda a, b: {p.curve.name: {"id": p.pair_id, "share": share_json(p)} for p in (a, b)},
        "both", "upper-case curves, shares as objects",
    ),
    "base64": (lambda a, b: b64(text(rn(a, b))), "both", "base64 of JSON, padded"),
    "base64-unpadded": (
        lambda a, b: b64(text(swift(a, b)), pad=False), "both", "base64 of JSON, without padding",
    ),
    "enclave": (
        lambda a, b: {
            p.curve.name: {"share": b64(text(share_json(p)), pad=False), "id": p.pair_id}
            for p in (a, b)
        },
        "both", "what the Enclave MPC API answers: each share in base64",
    ),
    "enclave-one-share": (
        lambda a, b: b64(text(share_json(b)), pad=False), "ed25519",
        "one share of the Enclave MPC API, encrypted alone: the curve is its public key's",
    ),
    "native": (
        lambda a, b: {"data": swift(a, b), "error": NO_ERROR}, "both",
        "what the native library answers when it formats shares",
    ),
    "native-one-share": (
        lambda a, b: {"data": {"share": share_json(b), "curve": "ED25519"}, "error": NO_ERROR},
        "ed25519", "what the native library answers for one curve",
    ),
    "native-decrypted": (
        lambda a, b: {"data": {"plaintext": text(rn(a, b))}, "error": None}, "both",
        "what the native library answers when it decrypts",
    ),
    "native-each": (
        lambda a, b: {
            "secp256k1": {"data": {"share": share_json(a), "curve": "secp256k1"}, "error": None},
            "ed25519": {"data": {"share": share_json(b)}, "error": None},
        },
        "both", "what the native library answered, by curve",
    ),
    "old-one-share": (
        lambda a, _: share_json(a), "secp256k1", "before there was a second curve: one share",
    ),
    "old-string": (lambda a, _: text(text(share_json(a))), "secp256k1", "the same, as a string"),
    "secp256k1-only": (lambda a, _: swift(a), "secp256k1", "one of two curves"),
    "ed25519-only": (lambda _, b: swift(b), "ed25519", "one of two curves"),
    "null-curve": (
        lambda a, b: {**rn(a, b), "ed25519": None}, "secp256k1", "null for a curve without a share",
    ),
    "shares-without-id": (
        lambda a, b: {"secp256k1": share_json(a), "ed25519": text(share_json(b))}, "both",
        "shares right under their curves",
    ),
    "kotlin-names": (
        lambda a, b: {
            p.curve.name: {"id": p.pair_id, "share": text(renamed(p, "partialPublicKey"))}
            for p in (a, b)
        },
        "both", "partialPublicKey",
    ),
    "web-list": (
        lambda a, b: {
            "secp256k1": {"id": a.pair_id, "share": listed(a, a.client, a.server)},
            "ed25519": {"id": b.pair_id, "share": listed(b, b.server, b.client)},
        },
        "both", "partialPubKey as a list, in either order",
    ),
    "numbers": (
        lambda a, b: {
            p.curve.name.lower(): {"id": p.pair_id, "share": share_json(p, number=int)}
            for p in (a, b)
        },
        "both", "JSON numbers instead of decimal strings",
    ),
    "spaced": (lambda a, b: " \n" + json.dumps(rn(a, b), indent=2) + "\n", "both", "white space"),
    "escaped": (
        lambda a, b: text(swift(a, b)).replace("/", "\\/").replace("=", "\\u003d"), "both",
        "a solidus escaped, as Foundation does, and other escapes",
    ),
}


def expected(pair: Pair) -> Json:
    """What comes out of a share."""
    curve = pair.curve
    return {
        "id": pair.pair_id,
        "backup_pair": pair.pair_id,
        "public_key": curve.compressed(pair.public),
        "client_public_key": curve.compressed(pair.client.point),
        "server_public_key": curve.compressed(pair.server.point),
    }


def opening(comment: str, sealed: Json, pairs: Sequence[Pair], custodian: Shape) -> Json:
    """A vector that opens and ejects."""
    return {
        "comment": comment,
        **sealed,
        "shares": {pair.curve.name: expected(pair) for pair in pairs},
        "custodian": {pair.curve.name: custodian(pair, pair) for pair in pairs},
        "private_keys": {pair.curve.name: pair.curve.private_key(pair.private) for pair in pairs},
    }


def flat(pair: Pair, _: Pair) -> str:
    """The custodian's share as the reference has it."""
    return text(custodian_json(pair))


CUSTODIANS: dict[str, tuple[Shape, str]] = {
    "numbers": (lambda p, _: text(custodian_json(p, int)), "JSON numbers, not decimal strings"),
    "as-a-share": (lambda p, _: text(share_json(p, "server")), "in the form of the SDKs' shares"),
    "answer": (lambda p, _: text({"share": flat(p, p)}), "in the answer of prepare-eject"),
    "string": (lambda p, _: text(flat(p, p)), "as a JSON string"),
    "bk-objects": (
        lambda p, _: text(
            {
                **custodian_json(p),
                "clientBk": {"X": str(p.client.place), "Rank": 0},
                "serverBk": {"X": str(p.server.place), "Rank": 0},
            }
        ),
        "Birkhoff parameters with their ranks",
    ),
}


def plain(value: Any) -> str:
    """A shape as the text that is encrypted."""
    return value if isinstance(value, str) else text(value)


def opens(seed: str | None) -> Vectors:
    """Every shape under a key, and the rest that is to open."""
    for name, (shape, which, comment) in SHAPES.items():
        random = random_for(seed, f"opens/{name}")
        both = [make_pair(curve, random) for curve in CURVES]
        chosen = [p for p in both if which in ("both", p.curve.name.lower())]
        sealed = seal_with_key(plain(shape(*both)), random)
        yield name, opening(comment, sealed, chosen, flat)
    for name, (custodian, comment) in CUSTODIANS.items():
        random = random_for(seed, f"opens/custodian-{name}")
        both = [make_pair(curve, random) for curve in CURVES]
        sealed = seal_with_key(text(rn(*both)), random)
        comment = f"the custodian's share {comment}"
        yield f"custodian-{name}", opening(comment, sealed, both, custodian)
    yield from opens_besides(seed)


def opens_besides(seed: str | None) -> Vectors:
    """Passwords, real sizes, ids and short keys."""
    passwords = {
        "password": ("correct horse battery staple", rn, "a password"),
        "password-pin": ("0000", swift, "the shortest PIN that Portal takes"),
        "password-unicode": ("pässwörd 🐎 ", rn, "not ASCII, and a space at the end"),
        "password-base64": ("hunter22", lambda a, b: b64(text(swift(a, b))), "and base64 of JSON"),
    }
    for name, (password, shape, comment) in passwords.items():
        random = random_for(seed, f"opens/{name}")
        both = [make_pair(curve, random) for curve in CURVES]
        sealed = seal_with_password(plain(shape(*both)), password, random)
        yield name, opening(comment, sealed, both, flat)

    random = random_for(seed, "opens/real-size")
    both = [make_pair(curve, random) for curve in CURVES]
    for pair in both:
        pair.auxiliary, pair.client_id = auxiliary(random), "cl" + random(11).hex()
    sealed = seal_with_key(text(swift(*both)), random)
    vector = opening("with all that CGGMP needs", sealed, both, flat)
    for pair in both:
        vector["shares"][pair.curve.name]["client"] = pair.client_id
    yield "real-size", vector

    random = random_for(seed, "opens/short-keys")
    both = [make_pair(curve, random, private=integer(random, 2**230)) for curve in CURVES]
    sealed = seal_with_key(text(swift(*both)), random)
    yield "short-keys", opening("private keys with zeros in front", sealed, both, flat)


# --- Vectors that are refused ---------------------------------------------------------------------


def with_field(share: Json, path: str, value: Any) -> Json:
    """The share with another value in one place, or without it."""
    copy = json.loads(text(share))
    *parents, last = path.split(".")
    place = copy
    for name in parents:
        place = place[name]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return copy


def refused(seed: str | None) -> Vectors:
    """Everything that must not open, each with its error."""
    yield from refused_blobs(seed)
    yield from refused_shares(seed)
    yield from refused_texts(seed)
    yield from refused_custodians(seed)


def refused_blobs(seed: str | None) -> Vectors:
    """Wrong keys and passwords, and blobs that were changed."""
    random = random_for(seed, "refused/blobs")
    pair = make_pair(Secp256k1, random)
    by_key = seal_with_key(text(swift(pair)), random)
    by_password = seal_with_password(text(swift(pair)), "right", random)
    blob, key = by_key["cipher_text"], by_key["key"]
    flipped = f"{int(blob[40:42], 16) ^ 1:02x}"
    changes: list[tuple[str, str, Json, str]] = [
        ("wrong-key", "WrongKey", {**by_key, "key": random(32).hex()}, "another key"),
        ("wrong-password", "WrongPassword", {**by_password, "password": "wrong"}, "another one"),
        ("password-with-space", "WrongPassword", {**by_password, "password": "right "}, "a space"),
        ("password-for-key", "WrongPassword", {"cipher_text": blob, "password": key},
         "not that form"),
        ("key-for-password", "WrongKey", {"cipher_text": by_password["cipher_text"], "key": key},
         "not that form"),
        ("flipped-bit", "WrongKey", {**by_key, "cipher_text": blob[:40] + flipped + blob[42:]},
         "one bit of the ciphertext"),
        ("cut-short-by-1", "WrongKey", {**by_key, "cipher_text": blob[:-2]}, "a byte less"),
        ("cut-in-half", "WrongPassword",
         {**by_password, "cipher_text": by_password["cipher_text"][: len(blob) // 4 * 2]}, "half"),
        ("one-byte-more", "WrongKey", {**by_key, "cipher_text": blob + "00"}, "a byte more"),
        ("cut-to-27", "TooShort", {**by_key, "cipher_text": blob[:54]}, "a byte too short"),
        ("password-cut-to-43", "TooShort",
         {**by_password, "cipher_text": by_password["cipher_text"][:86]}, "likewise"),
        ("empty", "TooShort", {**by_key, "cipher_text": ""}, "nothing"),
        ("odd", "NotABlob", {**by_key, "cipher_text": blob[:-1]}, "half a byte"),
        ("upper-case", "NotABlob", {**by_key, "cipher_text": blob.upper()}, "not lower-case"),
        ("line-feed", "NotABlob", {**by_key, "cipher_text": blob + "\n"}, "a line feed at the end"),
        ("envelope-of-ours", "NotABlob", {**by_key, "cipher_text": "portal-backup-1.AAAA"}, "ours"),
        ("key-too-short", "InvalidKey", {**by_key, "key": key[:-2]}, "31 bytes"),
        ("key-too-long", "InvalidKey", {**by_key, "key": key + "00"}, "33 bytes"),
        ("key-upper-case", "InvalidKey", {**by_key, "key": key[:-1] + "F"}, "one digit"),
    ]
    for name, error, sealed, comment in changes:
        yield name, {"comment": comment, **sealed, "error": error}


def refused_shares(seed: str | None) -> Vectors:
    """Shares with one thing wrong."""
    for curve in CURVES:
        random = random_for(seed, f"refused/shares/{curve.name}")
        pair, other = make_pair(curve, random), make_pair(curve, random)
        share, foreign = share_json(pair), share_json(other)
        client, server = pair.client, pair.server
        off_curve = str(pair.public[0] + 2)
        changes: list[tuple[str, str, str, Any]] = [
            ("other-secret", "WrongSecret { side: Client }", "share", foreign["share"]),
            ("custodians-secret", "WrongSecret { side: Client }", "share", str(server.secret)),
            ("other-partials", "WrongSecret { side: Client }", "partialPubkey",
             foreign["partialPubkey"]),
            ("other-server-partial", "WrongPublicKey", "partialPubkey.server",
             foreign["partialPubkey"]["server"]),
            ("other-public-key", "WrongPublicKey", "pubkey", foreign["pubkey"]),
            ("other-place", "WrongPublicKey", "bks.server.X", foreign["bks"]["server"]["X"]),
            ("places-swapped", "WrongPublicKey", "bks",
             {"client": share["bks"]["server"], "server": share["bks"]["client"]}),
            ("same-place", "SamePlace", "bks.server.X", str(client.place)),
            ("rank-of-client", "Rank { side: Client, rank: 1 }", "bks.client.Rank", 1),
            ("rank-of-server", "Rank { side: Server, rank: 2 }", "bks.server.Rank", "2"),
            ("rank-negative", 'Malformed { field: "bks.client" }', "bks.client.Rank", -1),
            ("secret-zero", 'OutOfRange { field: "share" }', "share", "0"),
            ("secret-is-order", 'OutOfRange { field: "share" }', "share", str(curve.order)),
            ("secret-plus-order", 'OutOfRange { field: "share" }', "share",
             str(client.secret + curve.order)),
            ("secret-of-78-nines", 'OutOfRange { field: "share" }', "share", "9" * 78),
            ("secret-of-300-digits", 'OutOfRange { field: "share" }', "share", "1" * 300),
            ("secret-negative", 'Malformed { field: "share" }', "share", f"-{client.secret}"),
            ("secret-in-hex", 'Malformed { field: "share" }', "share", hex(client.secret)),
            ("secret-empty", 'Malformed { field: "share" }', "share", ""),
            ("place-zero", 'OutOfRange { field: "bks.client" }', "bks.client.X", "0"),
            ("place-plus-order", 'OutOfRange { field: "bks.server" }', "bks.server.X",
             str(server.place + curve.order)),
            ("off-curve-x", 'NotOnCurve { field: "pubkey" }', "pubkey.X", off_curve),
            ("off-curve-partial", 'NotOnCurve { field: "partialPubkey.client" }',
             "partialPubkey.client.Y", str(client.point[1] + 1)),
            ("identity", 'NotOnCurve { field: "partialPubkey.server" }', "partialPubkey.server",
             {"X": "0", "Y": "1"}),
            ("not-reduced", 'NotOnCurve { field: "pubkey" }', "pubkey.X", str(2**256 - 1)),
            ("no-pubkey", 'Missing { field: "pubkey" }', "pubkey", None),
            ("no-partials", 'Missing { field: "partialPubkey" }', "partialPubkey", None),
            ("no-server-partial", 'Missing { field: "partialPubkey.server" }',
             "partialPubkey.server", None),
            ("no-bks", 'Missing { field: "bks" }', "bks", None),
            ("no-place", 'Missing { field: "bks.client" }', "bks.client.X", None),
            ("no-secret", 'Missing { field: "share" }', "share", None),
            ("list-of-three", 'Malformed { field: "partialPubkey" }', "partialPubkey",
             [point_json(client.point)] * 3),
            ("pair-id-number", 'Malformed { field: "backupSharePairId" }', "backupSharePairId", 7),
        ]
        for name, error, path, value in changes:
            changed = {"id": pair.pair_id, "share": with_field(share, path, value)}
            sealed = seal_with_key(text({curve.name.lower(): changed}), random)
            name = f"{curve.name.lower()}-{name}"
            yield name, {"comment": f"another {path}", **sealed, "error": error}


def refused_texts(seed: str | None) -> Vectors:
    """Blobs that open, with something else in them than shares."""
    random = random_for(seed, "refused/texts")
    secp256k1, ed = (make_pair(curve, random) for curve in CURVES)
    good, foreign = share_json(secp256k1), share_json(ed)
    deep: Any = swift(secp256k1)
    for _ in range(20):
        deep = {"data": deep}
    one = {"id": "x", "share": good}
    texts: dict[str, tuple[str, str]] = {
        "no-json": ("hello, world", "NotJson"),
        "nothing": ("", "NotJson"),
        "list": (text([good]), "NotJson"),
        "number": ("12", "NotJson"),
        "null": ("null", "NotJson"),
        "base64-of-nothing": (b64("not JSON"), "NotJson"),
        "base64url": (b64(text(rn(secp256k1, ed))).replace("+", "-") + "_-", "NotJson"),
        "cut": (text(swift(secp256k1))[:-3], "NotJson"),
        "two": (text(swift(secp256k1)) * 2, "NotJson"),
        "empty-object": ("{}", "NoShare"),
        "other-object": (text({"mnemonic": "abandon abandon"}), "NoShare"),
        "no-curve": (text({"secp256k1": None, "ed25519": None}), "NoShare"),
        "error-answer": (text({"data": None, "error": {"id": "DECRYPT_FAILED"}}), "NoShare"),
        "twice-the-curve": (
            text({"secp256k1": one, "SECP256K1": one}), "NotJson",
        ),
        "swapped-curves": (
            text({"secp256k1": foreign, "ed25519": good}), 'NotOnCurve { field: "pubkey" }',
        ),
        "curve-contradicted": (
            text({"secp256k1": {"share": good, "curve": "ED25519"}}),
            'Malformed { field: "curve" }',
        ),
        "curve-unknown": (
            text({"share": good, "curve": "P256"}), 'Malformed { field: "curve" }',
        ),
        "too-deep": (text(deep), "NoShare"),
        "one-of-two-wrong": (
            text({"secp256k1": good, "ed25519": {**foreign, "share": "5"}}),
            "WrongSecret { side: Client }",
        ),
    }
    for name, (plaintext, error) in texts.items():
        sealed = seal_with_key(plaintext, random)
        yield f"text-{name}", {"comment": "what is in it", **sealed, "error": error}


def refused_custodians(seed: str | None) -> Vectors:
    """Custodian's shares that do not belong to the client's, or not to themselves."""
    for curve in CURVES:
        random = random_for(seed, f"refused/custodians/{curve.name}")
        pair, stranger = make_pair(curve, random), make_pair(curve, random)
        newer = make_pair(curve, random, private=pair.private)
        elsewhere = make_pair(next(c for c in CURVES if c is not curve), random)
        own = custodian_json(pair)
        x, y = curve.times_generator(5)
        custodians: dict[str, tuple[Any, str]] = {
            "other-wallet": (custodian_json(stranger), "OtherWallet"),
            "other-curve": (custodian_json(elsewhere), "OtherWallet"),
            "other-backup": (custodian_json(newer), "OtherBackup"),
            "other-secret": (
                {**own, "share": str(stranger.server.secret)}, "WrongSecret { side: Server }",
            ),
            "the-clients-share": (share_json(pair), "WrongSecret { side: Server }"),
            "other-public-key": ({**own, "x": str(x), "y": str(y)}, "WrongPublicKey"),
            "off-curve": ({**own, "y": "7"}, 'NotOnCurve { field: "pubkey" }'),
            "no-place": (with_field(own, "clientBk", None), 'Missing { field: "clientBk" }'),
            "out-of-range": (
                {**own, "share": str(curve.order)}, 'OutOfRange { field: "share" }',
            ),
            "rank": (
                {**own, "serverBk": {"X": own["serverBk"], "Rank": 1}},
                "Rank { side: Server, rank: 1 }",
            ),
            "no-share": ({"encryptedClientBackupShare": "00"}, "NoShare"),
            "no-json": ("custodian", "NotJson"),
        }
        for name, (custodian, error) in custodians.items():
            sealed = seal_with_key(text(swift(pair)), random)
            vector = {"comment": "the custodian's share", **sealed}
            vector |= {"custodian": {curve.name: plain(custodian)}, "error": error}
            yield f"custodian-{curve.name.lower()}-{name}", vector


# --- The command line -----------------------------------------------------------------------------


def write(directory: Path, vectors: Vectors) -> None:
    """One file for each."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, vector in vectors:
        path = directory / f"{name}.json"
        path.write_text(json.dumps(vector, indent=2, ensure_ascii=False) + "\n", "utf-8")


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    match arguments:
        case [directory]:
            seed = None
        case [directory, seed]:
            pass
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    check_ed25519()
    write(Path(directory) / "opens", opens(seed))
    write(Path(directory) / "refused", refused(seed))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
