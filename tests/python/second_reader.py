#!/usr/bin/env python3
"""A second, independent implementation of the backup formats, written from format.md alone.

    second_reader.py open VECTOR.json…    open golden vectors as their readers would
    second_reader.py write DIR            write fresh vectors, from os.urandom
    second_reader.py hpke VECTORS.json    check our HPKE against the published test vectors

Needs Python 3.11, `cryptography` and, for `PASSWORD` only, `argon2-cffi`. HPKE's PSK mode is built
here from RFC 9180, because the HPKE of `cryptography` has the base mode only.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Json = dict[str, Any]

PREFIX = "portal-backup-"
VERSION_1 = "portal-backup-1."
LONGEST_ENVELOPE = 65_536
LONGEST_PARAMETERS = 16_384
LONGEST_SHARE = 1_024
WRAP_LENGTH = 92
NO_SLOT_METHOD = "CUSTOM"
SECP256K1, ED25519 = 1, 2
POINT_LENGTH = {SECP256K1: 33, ED25519: 32}
CURVE_NAME = {SECP256K1: "SECP256K1", ED25519: "ED25519"}
CURVE_CODE = {name: code for code, name in CURVE_NAME.items()}

LABEL = "(?!-)[a-z0-9-]{1,63}(?<!-)"
DOMAIN = re.compile(rf"(?=.{{1,253}}$){LABEL}(\.{LABEL})*")

# What this reader is willing to spend on Argon2id.
MOST_MEMORY_KIB = 512 * 1024
MOST_KIB_PASSES = 4 * MOST_MEMORY_KIB


# --- Errors ---------------------------------------------------------------------------------------


class BackupError(Exception):
    """A backup that is refused. The name of the class is the kind of the error."""


class Damaged(BackupError):
    """The bytes are not those of a backup, or not those that were sealed."""


class Unauthorized(BackupError):
    """The key, or what the key is bound to, is not the right one."""


class UnknownVersion(BackupError):
    """A version this reader does not know."""


class InvalidInput(BackupError):
    """What the reader was given does not fit the backup."""


class InvalidParams(BackupError):
    """The parameters of a method make no sense."""


class NotFound(BackupError):
    """A key that is not at hand."""


class TooCostly(BackupError):
    """Parameters that ask for more work than this reader will do."""


# --- Section 1: conventions -----------------------------------------------------------------------


def u8(value: int) -> bytes:
    """One byte."""
    return value.to_bytes(1, "big")


def u16(value: int) -> bytes:
    """Two bytes, big-endian."""
    return value.to_bytes(2, "big")


def prefixed(value: bytes) -> bytes:
    """`bytes`: a u16 length and then the bytes."""
    return u16(len(value)) + value


def facts(label: str, *values: bytes | str) -> bytes:
    """The encoding of what a ciphertext is bound to."""
    encoded = (v.encode("utf-8") if isinstance(v, str) else v for v in (label, *values))
    return b"".join(map(prefixed, encoded))


def base64url(value: bytes) -> str:
    """RFC 4648 section 5 without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")


def from_base64url(text: str) -> bytes:
    """The reverse; ValueError for padding, other characters and unused bits that are not zero."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text) or len(text) % 4 == 1:
        raise ValueError("not base64url")
    value = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64url(value) != text:
        raise ValueError("unused bits are not zero")
    return value


def is_id(text: str) -> bool:
    """A custodian id, client id, share pair id or backup id."""
    return re.fullmatch(r"[\x21-\x7e]{1,128}", text) is not None


def is_method_id(text: str) -> bool:
    """A method id."""
    return len(text) <= 64 and re.fullmatch(r"[A-Z]+|[a-z0-9-]+(\.[a-z0-9-]+)+", text) is not None


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """HMAC with SHA-256."""
    return hmac.digest(key, message, "sha256")


def hkdf_extract(salt: bytes, ikm: bytes) -> bytes:
    """RFC 5869 section 2.2. No salt and the empty salt are the same to HMAC."""
    return hmac_sha256(salt, ikm)


def hkdf_expand(prk: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 section 2.3."""
    output, block, counter = b"", b"", 1
    while len(output) < length:
        block = hmac_sha256(prk, block + info + u8(counter))
        output, counter = output + block, counter + 1
    return output[:length]


def hkdf(ikm: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 with SHA-256 and no salt."""
    return hkdf_expand(hkdf_extract(b"", ikm), info, length)


class Parser:
    """Takes fields from the front of bytes. Everything that does not fit is Damaged."""

    def __init__(self, data: bytes) -> None:
        """Over all of the bytes."""
        self._data = data

    def take(self, length: int) -> bytes:
        """So many bytes."""
        if len(self._data) < length:
            raise Damaged("cut short")
        value, self._data = self._data[:length], self._data[length:]
        return value

    def u8(self) -> int:
        """One byte."""
        return self.take(1)[0]

    def bytes(self) -> bytes:
        """A u16 length and the bytes."""
        return self.take(int.from_bytes(self.take(2), "big"))

    def text(self, is_valid: Callable[[str], bool]) -> str:
        """`bytes` that hold ASCII, of an id of the given kind."""
        try:
            value = self.bytes().decode("ascii")
        except UnicodeDecodeError:
            raise Damaged("text that is not ASCII") from None
        if not is_valid(value):
            raise Damaged("not an id")
        return value

    def end(self) -> None:
        """Refuses bytes that are left over."""
        if self._data:
            raise Damaged("bytes are left over")


# --- Section 1: the key wrap ----------------------------------------------------------------------


def wrap_keys(wrapping_key: bytes, bound_to: bytes) -> tuple[bytes, bytes]:
    """The AES key and the commitment of a wrap."""
    derived = hkdf(wrapping_key, bound_to, 64)
    return derived[:32], derived[32:]


def wrap(wrapping_key: bytes, bound_to: bytes, secret: bytes) -> bytes:
    """Wraps 32 secret bytes; 92 bytes."""
    key, commitment = wrap_keys(wrapping_key, bound_to)
    nonce = os.urandom(12)
    return commitment + nonce + AESGCM(key).encrypt(nonce, secret, b"")


def unwrap(wrapping_key: bytes, bound_to: bytes, wrapped: bytes) -> bytes:
    """Opens a wrap: first the commitment, then the ciphertext."""
    commitment, nonce, ciphertext = wrapped[:32], wrapped[32:44], wrapped[44:]
    key, expected = wrap_keys(wrapping_key, bound_to)
    if not hmac.compare_digest(commitment, expected):
        raise Unauthorized("another key, or bound to other facts")
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, b"")
    except InvalidTag:
        raise Unauthorized("the wrap does not open") from None


# --- RFC 9180: HPKE -------------------------------------------------------------------------------

KEM_ID, KDF_ID, AEAD_ID = 0x0020, 0x0001, 0x0002
KEM_SUITE = b"KEM" + u16(KEM_ID)
HPKE_SUITE = b"HPKE" + u16(KEM_ID) + u16(KDF_ID) + u16(AEAD_ID)
MODE_PSK = 0x01


def labeled_extract(suite: bytes, salt: bytes, label: str, ikm: bytes) -> bytes:
    """RFC 9180 section 4."""
    return hkdf_extract(salt, b"HPKE-v1" + suite + label.encode() + ikm)


def labeled_expand(suite: bytes, prk: bytes, label: str, info: bytes, length: int) -> bytes:
    """RFC 9180 section 4."""
    labeled = u16(length) + b"HPKE-v1" + suite + label.encode() + info
    return hkdf_expand(prk, labeled, length)


def derive_key_pair(ikm: bytes) -> X25519PrivateKey:
    """DeriveKeyPair for X25519, RFC 9180 section 7.1.3."""
    prk = labeled_extract(KEM_SUITE, b"", "dkp_prk", ikm)
    return X25519PrivateKey.from_private_bytes(labeled_expand(KEM_SUITE, prk, "sk", b"", 32))


def public_bytes(private: X25519PrivateKey) -> bytes:
    """The 32 bytes of the public key."""
    return private.public_key().public_bytes_raw()


def kem_shared_secret(private: X25519PrivateKey, public: bytes, enc: bytes, to: bytes) -> bytes:
    """The shared secret of either side, RFC 9180 section 4.1; ValueError if DH gives zero."""
    dh = private.exchange(X25519PublicKey.from_public_bytes(public))
    prk = labeled_extract(KEM_SUITE, b"", "eae_prk", dh)
    return labeled_expand(KEM_SUITE, prk, "shared_secret", enc + to, 32)


@dataclass
class HpkeContext:
    """What the key schedule gives, and the sequence number."""

    schedule_context: bytes
    secret: bytes
    key: bytes
    base_nonce: bytes
    exporter_secret: bytes
    sequence: int = field(default=0)

    def next_nonce(self) -> bytes:
        """The nonce of this message, RFC 9180 section 5.2."""
        counter = self.sequence.to_bytes(12, "big")
        self.sequence += 1
        return bytes(a ^ b for a, b in zip(self.base_nonce, counter, strict=True))

    def seal(self, aad: bytes, plaintext: bytes) -> bytes:
        """Encrypts the next message."""
        return AESGCM(self.key).encrypt(self.next_nonce(), plaintext, aad)

    def open(self, aad: bytes, ciphertext: bytes) -> bytes:
        """Decrypts the next message; InvalidTag if it is not authentic."""
        return AESGCM(self.key).decrypt(self.next_nonce(), ciphertext, aad)

    def export(self, context: bytes, length: int) -> bytes:
        """RFC 9180 section 5.3."""
        return labeled_expand(HPKE_SUITE, self.exporter_secret, "sec", context, length)


def key_schedule(shared_secret: bytes, info: bytes, psk: bytes, psk_id: bytes) -> HpkeContext:
    """KeySchedule in PSK mode, RFC 9180 section 5.1."""
    psk_id_hash = labeled_extract(HPKE_SUITE, b"", "psk_id_hash", psk_id)
    info_hash = labeled_extract(HPKE_SUITE, b"", "info_hash", info)
    context = u8(MODE_PSK) + psk_id_hash + info_hash
    secret = labeled_extract(HPKE_SUITE, shared_secret, "secret", psk)
    return HpkeContext(
        schedule_context=context,
        secret=secret,
        key=labeled_expand(HPKE_SUITE, secret, "key", context, 32),
        base_nonce=labeled_expand(HPKE_SUITE, secret, "base_nonce", context, 12),
        exporter_secret=labeled_expand(HPKE_SUITE, secret, "exp", context, 32),
    )


def hpke_sender(
    ephemeral: X25519PrivateKey, to: bytes, info: bytes, psk: bytes, psk_id: bytes
) -> tuple[bytes, HpkeContext]:
    """SetupPSKS, RFC 9180 section 5.1.2: the encapsulated key and the context."""
    enc = public_bytes(ephemeral)
    return enc, key_schedule(kem_shared_secret(ephemeral, to, enc, to), info, psk, psk_id)


def hpke_receiver(
    private: X25519PrivateKey, enc: bytes, info: bytes, psk: bytes, psk_id: bytes
) -> HpkeContext:
    """SetupPSKR, RFC 9180 section 5.1.2."""
    shared_secret = kem_shared_secret(private, enc, enc, public_bytes(private))
    return key_schedule(shared_secret, info, psk, psk_id)


# --- Section 2: keys ------------------------------------------------------------------------------

PSK_ID = b"portal-backup/1"


def sealing_key_pair(backup_key: bytes) -> X25519PrivateKey:
    """The key pair that the backup key derives."""
    return derive_key_pair(hkdf(backup_key, b"portal-backup/1 sealing key", 32))


def pre_shared_key(backup_key: bytes) -> bytes:
    """The pre-shared key that the backup key derives."""
    return hkdf(backup_key, b"portal-backup/1 pre-shared key", 32)


# --- Sections 3 and 4: the envelope and the sealing record ----------------------------------------


@dataclass(frozen=True)
class Slot:
    """The backup key, wrapped under a method's wrapping key."""

    parameters: bytes
    wrapped: bytes


@dataclass(frozen=True)
class Wallet:
    """A wallet of the body. The public key is a claim when it comes from an envelope."""

    curve: int
    public_key: bytes
    pair: str


@dataclass(frozen=True)
class Body:
    """The body of an envelope."""

    custodian: str
    client: str
    method: str
    sealing_public_key: bytes
    backup: str
    slot: Slot | None
    wallets: list[Wallet]
    enc: bytes
    sealed: bytes


@dataclass(frozen=True)
class Record:
    """A sealing record."""

    custodian: str
    client: str
    method: str
    sealing_public_key: bytes
    slot: Slot | None
    pre_shared_key: bytes


@dataclass(frozen=True)
class Share:
    """One wallet's part of the plaintext."""

    client_commitment: bytes
    custodian_commitment: bytes
    secret: bytes


def parse_slot(parser: Parser) -> Slot | None:
    """The slot kind and the slot, if there is one."""
    kind = parser.u8()
    if kind == 0:
        return None
    if kind != 1:
        raise Damaged("a slot of an unknown kind")
    parameters = parser.bytes()
    if len(parameters) > LONGEST_PARAMETERS:
        raise Damaged("parameters that are too long")
    return Slot(parameters, parser.take(WRAP_LENGTH))


def encode_slot(slot: Slot | None) -> bytes:
    """The slot kind and the slot, if there is one."""
    if slot is None:
        return u8(0)
    return u8(1) + prefixed(slot.parameters) + slot.wrapped


def parse_wallet(parser: Parser) -> Wallet:
    """One wallet. That the public key lies on the curve is not looked at: it is a claim."""
    curve = parser.u8()
    if curve not in POINT_LENGTH:
        raise Damaged("an unknown curve")
    return Wallet(curve, parser.take(POINT_LENGTH[curve]), parser.text(is_id))


def parse_wallets(parser: Parser) -> list[Wallet]:
    """The wallets, by rising curve code."""
    count = parser.u8()
    if count not in (1, 2):
        raise Damaged("neither one wallet nor two")
    wallets = [parse_wallet(parser) for _ in range(count)]
    if any(a.curve >= b.curve for a, b in pairwise(wallets)):
        raise Damaged("curves out of order")
    return wallets


def encode_wallet(wallet: Wallet) -> bytes:
    """One wallet."""
    return u8(wallet.curve) + wallet.public_key + prefixed(wallet.pair.encode())


def decode_envelope(text: str) -> bytes:
    """The bytes of the body of an envelope of version 1."""
    if not text.startswith(PREFIX):
        raise Damaged("not an envelope")
    if not text.startswith(VERSION_1):
        raise UnknownVersion("an envelope of another version")
    if len(text) > LONGEST_ENVELOPE:
        raise Damaged("too long")
    try:
        return from_base64url(text.removeprefix(VERSION_1))
    except ValueError as error:
        raise Damaged(str(error)) from None


def parse_envelope(text: str) -> Body:
    """Text to body."""
    parser = Parser(decode_envelope(text))
    body = Body(
        custodian=parser.text(is_id),
        client=parser.text(is_id),
        method=parser.text(is_method_id),
        sealing_public_key=parser.take(32),
        backup=parser.text(is_id),
        slot=parse_slot(parser),
        wallets=parse_wallets(parser),
        enc=parser.take(32),
        sealed=parser.bytes(),
    )
    parser.end()
    return body


def encode_envelope(body: Body) -> str:
    """Body to text."""
    encoded = (
        prefixed(body.custodian.encode())
        + prefixed(body.client.encode())
        + prefixed(body.method.encode())
        + body.sealing_public_key
        + prefixed(body.backup.encode())
        + encode_slot(body.slot)
        + u8(len(body.wallets))
        + b"".join(map(encode_wallet, body.wallets))
        + body.enc
        + prefixed(body.sealed)
    )
    return VERSION_1 + base64url(encoded)


def parse_record(data: bytes) -> Record:
    """Bytes to sealing record."""
    parser = Parser(data)
    if parser.u8() != 1:
        raise UnknownVersion("a sealing record of another version")
    record = Record(
        custodian=parser.text(is_id),
        client=parser.text(is_id),
        method=parser.text(is_method_id),
        sealing_public_key=parser.take(32),
        slot=parse_slot(parser),
        pre_shared_key=parser.take(32),
    )
    parser.end()
    if record.slot is None and record.method != NO_SLOT_METHOD:
        raise Damaged("a record without a slot is of method CUSTOM")
    return record


def encode_record(record: Record) -> bytes:
    """Sealing record to bytes."""
    return (
        u8(1)
        + prefixed(record.custodian.encode())
        + prefixed(record.client.encode())
        + prefixed(record.method.encode())
        + record.sealing_public_key
        + encode_slot(record.slot)
        + record.pre_shared_key
    )


def slot_facts(
    custodian: str, client: str, method: str, parameters: bytes, sealing_public_key: bytes
) -> bytes:
    """What the wrapped backup key is bound to."""
    label = "portal-backup/1 slot"
    return facts(label, custodian, client, method, parameters, sealing_public_key)


def shares_info(
    custodian: str,
    client: str,
    method: str,
    sealing_public_key: bytes,
    backup: str,
    wallets: Sequence[Wallet],
) -> bytes:
    """What the sealed shares are bound to."""
    of_wallets: list[bytes | str] = []
    for wallet in wallets:
        of_wallets += [u8(wallet.curve), wallet.public_key, wallet.pair]
    return facts(
        "portal-backup/1 shares",
        custodian,
        client,
        method,
        sealing_public_key,
        backup,
        u8(len(wallets)),
        *of_wallets,
    )


def parse_shares(plaintext: bytes, wallets: Sequence[Wallet]) -> list[Share]:
    """The plaintext, for each wallet in the order of the body."""
    parser = Parser(plaintext)
    shares = []
    for wallet in wallets:
        length = POINT_LENGTH[wallet.curve]
        share = Share(parser.take(length), parser.take(length), parser.bytes())
        if not 1 <= len(share.secret) <= LONGEST_SHARE:
            raise Damaged("a share of an impossible length")
        shares.append(share)
    parser.end()
    return shares


def encode_shares(shares: Sequence[Share]) -> bytes:
    """The plaintext."""
    return b"".join(
        share.client_commitment + share.custodian_commitment + prefixed(share.secret)
        for share in shares
    )


# --- Opening --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reader:
    """What the reader supplies, and never takes from the envelope."""

    custodian: str
    client: str
    method: str
    wallets: Mapping[int, bytes]
    key: Json


@dataclass(frozen=True)
class Opened:
    """What comes out of an envelope. The wallets have the reader's public keys."""

    backup: str
    wallets: list[Wallet]
    shares: list[Share]
    backup_key: bytes


def supplied_wallets(reader: Reader, body: Body) -> list[Wallet]:
    """The wallets of the body with the public keys that the reader supplies."""
    missing = [wallet for wallet in body.wallets if wallet.curve not in reader.wallets]
    if missing:
        raise InvalidInput(f"no wallet is named on {CURVE_NAME[missing[0].curve]}")
    return [Wallet(w.curve, reader.wallets[w.curve], w.pair) for w in body.wallets]


def open_backup_key(reader: Reader, body: Body) -> bytes:
    """The backup key, out of the slot or from the reader, once it fits the sealing public key."""
    if body.slot is None:
        if "backup_key" not in reader.key:
            raise InvalidInput("without a slot it takes the backup key")
        backup_key = key_bytes(reader.key, "backup_key")
    else:
        bound_to = slot_facts(
            reader.custodian,
            reader.client,
            reader.method,
            body.slot.parameters,
            body.sealing_public_key,
        )
        wrapping_key = find_wrapping_key(reader, reader.key, body.slot.parameters)
        backup_key = unwrap(wrapping_key, bound_to, body.slot.wrapped)
    derived = public_bytes(sealing_key_pair(backup_key))
    if not hmac.compare_digest(derived, body.sealing_public_key):
        raise Unauthorized("the backup key of another enrolment")
    return backup_key


def open_shares(
    reader: Reader, body: Body, wallets: list[Wallet], backup_key: bytes
) -> list[Share]:
    """Opens the sealed shares."""
    info = shares_info(
        reader.custodian,
        reader.client,
        reader.method,
        body.sealing_public_key,
        body.backup,
        wallets,
    )
    private, psk = sealing_key_pair(backup_key), pre_shared_key(backup_key)
    try:
        plaintext = hpke_receiver(private, body.enc, info, psk, PSK_ID).open(b"", body.sealed)
    except (InvalidTag, ValueError):  # ValueError: a key of small order, or no room for a tag
        raise Damaged("the sealed shares do not open") from None
    return parse_shares(plaintext, wallets)


def open_envelope(reader: Reader, text: str) -> Opened:
    """Opens an envelope: it parses, the wallets are named, the slot opens, the shares open."""
    body = parse_envelope(text)
    wallets = supplied_wallets(reader, body)
    backup_key = open_backup_key(reader, body)
    shares = open_shares(reader, body, wallets, backup_key)
    return Opened(body.backup, wallets, shares, backup_key)


def check_record(record: Record, reader: Reader, text: str, backup_key: bytes) -> None:
    """That the envelope is one that the record sealed, and could seal again."""
    body = parse_envelope(text)
    ours = (record.custodian, record.client, record.method, record.sealing_public_key, record.slot)
    theirs = (body.custodian, body.client, body.method, body.sealing_public_key, body.slot)
    if ours != theirs:
        raise Damaged("the record is not that of the envelope")
    if (record.custodian, record.client, record.method) != (
        reader.custodian,
        reader.client,
        reader.method,
    ):
        raise Damaged("the record is not the reader's")
    if not hmac.compare_digest(record.pre_shared_key, pre_shared_key(backup_key)):
        raise Damaged("the record has another pre-shared key")


# --- Section 5: methods ---------------------------------------------------------------------------


def unique_members(pairs: list[tuple[str, Any]]) -> Json:
    """Refuses repeated members of a JSON object."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidParams("a repeated member")
    return members


def no_constant(name: str) -> NoReturn:
    """NaN and Infinity are not JSON, though Python reads them."""
    raise InvalidParams(f"{name} is not JSON")


def parse_params(parameters: bytes) -> Any:
    """RFC 8259 JSON in UTF-8 without repeated members."""
    try:
        text = parameters.decode("utf-8")
        return json.loads(text, object_pairs_hook=unique_members, parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise InvalidParams("not JSON") from None


def members_of(value: Any, **types: type) -> Json:
    """The members of a JSON object that has just these, of these types."""
    if not isinstance(value, dict) or set(value) != set(types):
        raise InvalidParams("other members than expected")
    for name, expected in types.items():
        if type(value[name]) is not expected:  # not isinstance: true is no number
            raise InvalidParams(f"{name} is of another type")
    return value


def expect_version_1(params: Json) -> None:
    """The version of the parameters."""
    if params["v"] != 1:
        raise InvalidParams("parameters of another version")


def param_bytes(text: Any, length: int | None = None) -> bytes:
    """A base64url string within parameters."""
    try:
        value = from_base64url(text) if isinstance(text, str) else None
    except ValueError:
        value = None
    if value is None or length not in (None, len(value)):
        raise InvalidParams("not base64url, or of another length")
    return value


def key_bytes(key: Json, name: str) -> bytes:
    """32 bytes that the reader supplies."""
    value = bytes.fromhex(key[name])
    if len(value) != 32:
        raise InvalidInput(f"{name} is not 32 bytes")
    return value


def find_wrapping_key(reader: Reader, key: Json, parameters: bytes) -> bytes:
    """A method's wrapping key, from what the reader has at hand."""
    if "wrapping_key" in key:
        return key_bytes(key, "wrapping_key")
    if "password" in key:
        return password_key(key["password"], parameters)
    if "prf_random" in key:
        return passkey_prf_key(reader, key_bytes(key, "prf_random"), parameters)
    if "members" in key:
        return threshold_key(reader, key["members"], parameters)
    raise InvalidInput("no key for a slot")


def key_name(custodian: str, client: str) -> str:
    """A fresh name for a stored wrapping key."""
    digits = hashlib.sha256(facts("portal-backup/1 key name", custodian, client)).hexdigest()[:16]
    return f"portal-{digits}-{os.urandom(16).hex()}"


def password_key(password: str, parameters: bytes) -> bytes:
    """The wrapping key of `PASSWORD`."""
    params = members_of(
        parse_params(parameters),
        v=int,
        algorithm=str,
        memory_kib=int,
        passes=int,
        lanes=int,
        salt=str,
    )
    expect_version_1(params)
    memory, passes, lanes = params["memory_kib"], params["passes"], params["lanes"]
    salt = param_bytes(params["salt"])
    if (
        params["algorithm"] != "argon2id"
        or passes < 1
        or lanes < 1
        or memory < 8 * lanes
        or not 16 <= len(salt) <= 64
    ):
        raise InvalidParams("not Argon2id, or not possible with it")
    if memory > MOST_MEMORY_KIB or memory * passes > MOST_KIB_PASSES:
        raise TooCostly("Argon2id that asks for too much")
    return argon2id(password, salt, memory, passes, lanes)


def opaque_string(typed: str) -> str:
    """RFC 8265 section 4.2.2: other spaces become U+0020, then NFC."""
    spaces = (" " if unicodedata.category(c) == "Zs" else c for c in typed)
    return unicodedata.normalize("NFC", "".join(spaces))


def argon2id(password: str, salt: bytes, memory_kib: int, passes: int, lanes: int) -> bytes:
    """32 bytes of Argon2id, version 0x13, over the password as an OpaqueString in UTF-8."""
    from argon2.low_level import Type, hash_secret_raw

    return hash_secret_raw(
        secret=opaque_string(password).encode("utf-8"),
        salt=salt,
        time_cost=passes,
        memory_cost=memory_kib,
        parallelism=lanes,
        hash_len=32,
        type=Type.ID,
        version=0x13,
    )


@dataclass(frozen=True)
class Member:
    """A member of a threshold."""

    label: str
    method: str
    params: bytes
    slot: bytes


@dataclass(frozen=True)
class Threshold:
    """The parameters of a threshold."""

    required: int
    members: list[Member]
    wraps: list[bytes]

    def subsets(self) -> list[tuple[int, ...]]:
        """Every subset of `required` members, in lexicographic order of the indices."""
        return list(combinations(range(len(self.members)), self.required))

    def policy_hash(self) -> bytes:
        """What the slots and the wraps are bound to."""
        of_members: list[bytes | str] = []
        for member in self.members:
            of_members += [member.label, member.method, member.params]
        counts = u8(self.required), u8(len(self.members))
        label = "portal-backup/1 threshold policy"
        return hashlib.sha256(facts(label, *counts, *of_members)).digest()

    def slot_facts(self, custodian: str, client: str, index: int) -> bytes:
        """What a member's slot is bound to."""
        label = "portal-backup/1 threshold member"
        return facts(label, custodian, client, self.policy_hash(), u8(index))

    def wrap_facts(self, custodian: str, client: str, subset: Sequence[int]) -> bytes:
        """What the wrap of a subset is bound to. The indices together are one fact."""
        label = "portal-backup/1 threshold subset"
        return facts(label, custodian, client, self.policy_hash(), bytes(subset))


def parse_member(value: Any) -> Member:
    """One member of a threshold."""
    params = members_of(value, label=str, method=str, params=str, slot=str)
    member = Member(
        params["label"],
        params["method"],
        param_bytes(params["params"]),
        param_bytes(params["slot"], WRAP_LENGTH),
    )
    try:
        label_length = len(member.label.encode("utf-8"))
    except UnicodeEncodeError:
        raise InvalidParams("a label that is not UTF-8") from None
    if not 1 <= label_length <= 64 or not is_method_id(member.method):
        raise InvalidParams("a label or a method id that is none")
    return member


def parse_threshold(parameters: bytes) -> Threshold:
    """The parameters of a threshold."""
    params = members_of(parse_params(parameters), v=int, required=int, members=list, wraps=list)
    expect_version_1(params)
    members = [parse_member(member) for member in params["members"]]
    wraps = [param_bytes(wrapped, WRAP_LENGTH) for wrapped in params["wraps"]]
    if not 1 <= len(members) <= 8 or not 1 <= params["required"] <= len(members):
        raise InvalidParams("an impossible number of members")
    if len({member.label for member in members}) != len(members):
        raise InvalidParams("labels that do not differ")
    threshold = Threshold(params["required"], members, wraps)
    if len(wraps) != len(threshold.subsets()):
        raise InvalidParams("another number of wraps than of subsets")
    return threshold


def member_piece(reader: Reader, at_hand: Json, threshold: Threshold, index: int) -> bytes:
    """The piece of a member."""
    member = threshold.members[index]
    held = at_hand.get(member.label)
    if held is None or held["method"] != member.method:
        raise NotFound(f"{member.label} is not at hand")
    key = find_wrapping_key(reader, held["key"], member.params)
    return unwrap(key, threshold.slot_facts(reader.custodian, reader.client, index), member.slot)


def threshold_pieces(reader: Reader, at_hand: Json, threshold: Threshold) -> dict[int, bytes]:
    """The pieces of the first `required` members that open, by index.

    A member that fails is passed over while enough others are left.
    """
    pieces: dict[int, bytes] = {}
    left = len(threshold.members)
    for index in range(len(threshold.members)):
        try:
            pieces[index] = member_piece(reader, at_hand, threshold, index)
        except BackupError:
            left -= 1
            if left < threshold.required:
                raise
        if len(pieces) == threshold.required:
            break
    return pieces


def threshold_key(reader: Reader, at_hand: Json, parameters: bytes) -> bytes:
    """The wrapping key of `portal.threshold`."""
    threshold = parse_threshold(parameters)
    pieces = threshold_pieces(reader, at_hand, threshold)
    subset = tuple(pieces)
    wrapped = threshold.wraps[threshold.subsets().index(subset)]
    bound_to = threshold.wrap_facts(reader.custodian, reader.client, subset)
    return unwrap(b"".join(pieces.values()), bound_to, wrapped)


# --- Section 6: reading vectors -------------------------------------------------------------------


def vector_reader(vector: Json) -> Reader:
    """What the reader of a vector supplies."""
    wallets = {CURVE_CODE[name]: bytes.fromhex(key) for name, key in vector["wallets"].items()}
    reader = Reader(
        custodian=vector["custodian"],
        client=vector["client"],
        method=vector.get("method", NO_SLOT_METHOD),
        wallets=wallets,
        key=vector["key"],
    )
    if not is_id(reader.custodian) or not is_id(reader.client) or not is_method_id(reader.method):
        raise InvalidInput("an id that is none")
    if any(len(key) != POINT_LENGTH[curve] for curve, key in wallets.items()):
        raise InvalidInput("a public key that is none")
    return reader


def shares_json(wallets: Sequence[Wallet], shares: Sequence[Share]) -> list[Json]:
    """The `shares` of a vector."""
    return [
        {
            "curve": CURVE_NAME[wallet.curve],
            "pair": wallet.pair,
            "client_commitment": share.client_commitment.hex(),
            "custodian_commitment": share.custodian_commitment.hex(),
            "secret": share.secret.hex(),
        }
        for wallet, share in zip(wallets, shares, strict=True)
    ]


def open_vector(vector: Json) -> Json:
    """Opens a vector as its reader would; gives its `backup` and `shares`."""
    record = parse_record(bytes.fromhex(vector["record"])) if "record" in vector else None
    reader = vector_reader(vector)
    opened = open_envelope(reader, vector["envelope"])
    if record is not None:
        check_record(record, reader, vector["envelope"], opened.backup_key)
    return {"backup": opened.backup, "shares": shares_json(opened.wallets, opened.shares)}


def check_vector(vector: Json) -> tuple[bool, str]:
    """Whether a vector opens, or is refused, as it says; and what to print."""
    expected_error = vector.get("error")
    try:
        opened = open_vector(vector)
    except BackupError as error:
        kind = type(error).__name__
        return kind == expected_error, f"refused, {kind}: {error}"
    if expected_error is not None:
        return False, f"opened, but should be refused: {expected_error}"
    if opened != {"backup": vector["backup"], "shares": vector["shares"]}:
        return False, "opened, but the shares or the backup id are others"
    return True, "opened"


def open_command(paths: Sequence[str]) -> bool:
    """Checks vectors, one line each; whether all agree."""
    agree = True
    for path in paths:
        agrees, outcome = check_vector(json.loads(Path(path).read_text("utf-8")))
        print(f"{'ok  ' if agrees else 'FAIL'} {path}: {outcome}")
        agree &= agrees
    return agree


def passkey_prf_key(reader: Reader, random: bytes, parameters: bytes) -> bytes:
    """The wrapping key of `portal.passkey-prf`, of a passkey with this `CredRandomWithUV`."""
    params = members_of(
        parse_params(parameters), v=int, rp=str, passkey=str, salt=str, check=str
    )
    expect_version_1(params)
    check = param_bytes(params["check"], 32)
    if not DOMAIN.fullmatch(params["rp"]) or not 1 <= len(param_bytes(params["passkey"])) <= 1023:
        raise InvalidParams("no domain, or no id of a passkey")
    salt = param_bytes(params["salt"], 32)
    derived = prf_derived(random, salt, reader.custodian, reader.client)
    if not hmac.compare_digest(derived[32:], check):
        raise Unauthorized("another passkey, or another client")
    return derived[:32]


def prf_derived(random: bytes, salt: bytes, custodian: str, client: str) -> bytes:
    """Wrapping key and check value, by what WebAuthn's client and CTAP's authenticator do."""
    value = hashlib.sha256(facts("portal-backup/1 passkey prf input", salt)).digest()
    ctap_salt = hashlib.sha256(b"WebAuthn PRF\0" + value).digest()
    output = hmac.digest(random, ctap_salt, "sha256")
    return hkdf(output, facts("portal-backup/1 passkey prf key", custodian, client), 64)


# --- Writing vectors ------------------------------------------------------------------------------

CUSTODIAN, CLIENT = "second-reader", "client-1"
BOTH = (SECP256K1, ED25519)


@dataclass(frozen=True)
class Method:
    """A method as a writer has it: the wrapping key and how a reader gets at it."""

    id: str
    parameters: bytes
    wrapping_key: bytes
    key: Json


@dataclass(frozen=True)
class Enrolment:
    """A sealing record with the key that opens what it seals."""

    record: Record
    key: Json


def compact_json(value: Any) -> bytes:
    """JSON in UTF-8 without white space."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def stored_method(method: str) -> Method:
    """A method that stores a key."""
    parameters = compact_json({"v": 1, "name": key_name(CUSTODIAN, CLIENT)})
    wrapping_key = os.urandom(32)
    return Method(method, parameters, wrapping_key, {"wrapping_key": wrapping_key.hex()})


def password_method() -> Method:
    """`PASSWORD`, cheap, with a password that is not in NFC."""
    password = f"cafe\u0301\u00a0{os.urandom(8).hex()}"
    cost = {"memory_kib": 8192, "passes": 1, "lanes": 1}
    salt = base64url(os.urandom(16))
    parameters = compact_json({"v": 1, "algorithm": "argon2id", **cost, "salt": salt})
    return Method(
        "PASSWORD", parameters, password_key(password, parameters), {"password": password}
    )


def passkey_prf_method(random: bytes | None = None) -> Method:
    """`portal.passkey-prf`, of a passkey with this `CredRandomWithUV`."""
    random, salt = random or os.urandom(32), os.urandom(32)
    derived = prf_derived(random, salt, CUSTODIAN, CLIENT)
    texts = {"passkey": os.urandom(16), "salt": salt, "check": derived[32:]}
    texts = {name: base64url(value) for name, value in texts.items()}
    parameters = compact_json({"v": 1, "rp": "example.com", **texts})
    return Method("portal.passkey-prf", parameters, derived[:32], {"prf_random": random.hex()})


def threshold_method(required: int, members: Mapping[str, Method]) -> Method:
    """`portal.threshold` over other methods, by label."""
    wrapping_key = os.urandom(32)
    pieces = [os.urandom(32) for _ in members]
    policy = Threshold(
        required, [Member(n, m.id, m.parameters, b"") for n, m in members.items()], []
    )
    slots = [
        wrap(method.wrapping_key, policy.slot_facts(CUSTODIAN, CLIENT, index), pieces[index])
        for index, method in enumerate(members.values())
    ]
    wraps = [
        wrap(
            b"".join(pieces[index] for index in subset),
            policy.wrap_facts(CUSTODIAN, CLIENT, subset),
            wrapping_key,
        )
        for subset in policy.subsets()
    ]
    key = {"members": {n: {"method": m.id, "key": m.key} for n, m in members.items()}}
    return Method("portal.threshold", threshold_params(policy, slots, wraps), wrapping_key, key)


def threshold_params(policy: Threshold, slots: Sequence[bytes], wraps: Sequence[bytes]) -> bytes:
    """The parameters of a threshold."""
    members = [
        {
            "label": member.label,
            "method": member.method,
            "params": base64url(member.params),
            "slot": base64url(slot),
        }
        for member, slot in zip(policy.members, slots, strict=True)
    ]
    encoded_wraps = [base64url(wrapped) for wrapped in wraps]
    return compact_json(
        {"v": 1, "required": policy.required, "members": members, "wraps": encoded_wraps}
    )


def enrol(method: Method | None) -> Enrolment:
    """A fresh backup key, behind a slot of the method or without one."""
    backup_key = os.urandom(32)
    sealing = public_bytes(sealing_key_pair(backup_key))
    method_id, slot, key = NO_SLOT_METHOD, None, {"backup_key": backup_key.hex()}
    if method is not None:
        bound_to = slot_facts(CUSTODIAN, CLIENT, method.id, method.parameters, sealing)
        slot = Slot(method.parameters, wrap(method.wrapping_key, bound_to, backup_key))
        method_id, key = method.id, method.key
    psk = pre_shared_key(backup_key)
    return Enrolment(Record(CUSTODIAN, CLIENT, method_id, sealing, slot, psk), key)


def seal(record: Record, backup: str, wallets: list[Wallet], shares: Sequence[Share]) -> str:
    """An envelope, sealed from the sealing record alone."""
    info = shares_info(
        record.custodian, record.client, record.method, record.sealing_public_key, backup, wallets
    )
    enc, context = hpke_sender(
        X25519PrivateKey.from_private_bytes(os.urandom(32)),
        record.sealing_public_key,
        info,
        record.pre_shared_key,
        PSK_ID,
    )
    body = Body(
        custodian=record.custodian,
        client=record.client,
        method=record.method,
        sealing_public_key=record.sealing_public_key,
        backup=backup,
        slot=record.slot,
        wallets=wallets,
        enc=enc,
        sealed=context.seal(b"", encode_shares(shares)),
    )
    return encode_envelope(body)


def random_point(curve: int) -> bytes:
    """A random point of a curve, compressed."""
    if curve == ED25519:
        private = ed25519.Ed25519PrivateKey.from_private_bytes(os.urandom(32))
        return private.public_key().public_bytes_raw()
    scalar = 1 + int.from_bytes(os.urandom(31), "big")  # below the order
    public = ec.derive_private_key(scalar, ec.SECP256K1()).public_key()
    return public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def random_share(curve: int) -> Share:
    """A share of random points and random bytes."""
    return Share(random_point(curve), random_point(curve), os.urandom(134))


def make_vector(enrolment: Enrolment, curves: Sequence[int]) -> Json:
    """A fresh backup and all that a vector says about it."""
    record, backup = enrolment.record, os.urandom(16).hex()
    wallets = [Wallet(c, random_point(c), f"pair-{os.urandom(8).hex()}") for c in curves]
    shares = [random_share(curve) for curve in curves]
    vector: Json = {
        "comment": "written by second_reader.py",
        "envelope": seal(record, backup, wallets, shares),
        "custodian": record.custodian,
        "client": record.client,
        "wallets": {CURVE_NAME[w.curve]: w.public_key.hex() for w in wallets},
        "key": enrolment.key,
        "backup": backup,
        "shares": shares_json(wallets, shares),
    }
    if record.slot is not None:
        vector["method"] = record.method
    return vector


def make_record_vector(method: Method | None) -> Json:
    """A sealing record, and an envelope sealed from the bytes of the record alone."""
    enrolment = enrol(method)
    record = encode_record(enrolment.record)
    make_vector(enrolment, BOTH)  # the enrolment's own backup; the vector has another
    return {
        "record": record.hex(),
        **make_vector(Enrolment(parse_record(record), enrolment.key), BOTH),
    }


def make_threshold_vectors() -> tuple[Json, Json]:
    """2 of 3, with all members at hand and without the first."""
    members = {
        "drive": stored_method("GDRIVE"),
        "password": password_method(),
        "päper": Method(
            "com.example.paper", b"", key := os.urandom(32), {"wrapping_key": key.hex()}
        ),
    }
    whole = make_vector(enrol(threshold_method(2, members)), BOTH)
    at_hand = {label: m for label, m in whole["key"]["members"].items() if label != "drive"}
    return whole, {**whole, "key": {"members": at_hand}}


def make_vectors() -> dict[str, Json]:
    """One vector of every kind, by name."""
    all_members, without_one = make_threshold_vectors()
    return {
        "both-curves": make_vector(enrol(stored_method("GDRIVE")), BOTH),
        "secp256k1-only": make_vector(enrol(stored_method("GDRIVE")), [SECP256K1]),
        "ed25519-only": make_vector(enrol(stored_method("ICLOUD")), [ED25519]),
        "without-slot": make_vector(enrol(None), BOTH),
        "threshold-all-members": all_members,
        "threshold-without-one": without_one,
        "password": make_vector(enrol(password_method()), BOTH),
        "passkey-prf": make_vector(enrol(passkey_prf_method()), BOTH),
        "sealing-record-with-slot": make_record_vector(stored_method("GDRIVE")),
        "sealing-record-without-slot": make_record_vector(None),
    }


def write_command(directory: str) -> bool:
    """Writes fresh vectors, and checks that they open here."""
    folder, agree = Path(directory), True
    folder.mkdir(parents=True, exist_ok=True)
    for name, vector in make_vectors().items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(vector, indent=2) + "\n", "utf-8")
        agrees, outcome = check_vector(vector)
        print(f"{'ok  ' if agrees else 'FAIL'} wrote {path}: {outcome}")
        agree &= agrees
    return agree


# --- The published HPKE vectors -------------------------------------------------------------------


def hpke_setup_agrees(v: Mapping[str, bytes]) -> dict[str, bool]:
    """The key pairs, both sides' key schedules, and each intermediate value."""
    receiver, ephemeral = derive_key_pair(v["ikmR"]), derive_key_pair(v["ikmE"])
    enc, sender = hpke_sender(ephemeral, v["pkRm"], v["info"], v["psk"], v["psk_id"])
    context = hpke_receiver(receiver, enc, v["info"], v["psk"], v["psk_id"])
    return {
        "skRm": receiver.private_bytes_raw() == v["skRm"],
        "pkRm": public_bytes(receiver) == v["pkRm"],
        "skEm": ephemeral.private_bytes_raw() == v["skEm"],
        "pkEm": public_bytes(ephemeral) == v["pkEm"],
        "enc": enc == v["enc"],
        "shared_secret": kem_shared_secret(receiver, enc, enc, v["pkRm"]) == v["shared_secret"],
        "sender": sender == context,
        "key_schedule_context": context.schedule_context == v["key_schedule_context"],
        "secret": context.secret == v["secret"],
        "key": context.key == v["key"],
        "base_nonce": context.base_nonce == v["base_nonce"],
        "exporter_secret": context.exporter_secret == v["exporter_secret"],
    }


def hpke_encryptions_agree(v: Mapping[str, bytes], encryptions: Sequence[Json]) -> bool:
    """Every message, sealed and opened in turn."""
    sender = key_schedule(v["shared_secret"], v["info"], v["psk"], v["psk_id"])
    receiver = key_schedule(v["shared_secret"], v["info"], v["psk"], v["psk_id"])
    agree = True
    for message in encryptions:
        aad, pt, ct = (bytes.fromhex(message[name]) for name in ("aad", "pt", "ct"))
        agree &= sender.seal(aad, pt) == ct and receiver.open(aad, ct) == pt
    return agree


def hpke_exports_agree(v: Mapping[str, bytes], exports: Sequence[Json]) -> bool:
    """Every exported secret."""
    context = key_schedule(v["shared_secret"], v["info"], v["psk"], v["psk_id"])
    return all(
        context.export(bytes.fromhex(e["exporter_context"]), e["L"]).hex() == e["exported_value"]
        for e in exports
    )


def hpke_command(path: str) -> bool:
    """Checks all vectors of our suite in PSK mode; there must be one at least."""
    suite = {"mode": MODE_PSK, "kem_id": KEM_ID, "kdf_id": KDF_ID, "aead_id": AEAD_ID}
    vectors = json.loads(Path(path).read_text("utf-8"))
    ours = [v for v in vectors if all(v[name] == value for name, value in suite.items())]
    agree = bool(ours)
    for vector in ours:
        octets = {name: bytes.fromhex(v) for name, v in vector.items() if isinstance(v, str)}
        checks = hpke_setup_agrees(octets)
        checks["encryptions"] = hpke_encryptions_agree(octets, vector["encryptions"])
        checks["exports"] = hpke_exports_agree(octets, vector["exports"])
        wrong = [name for name, agrees in checks.items() if not agrees]
        counted = f"{len(vector['encryptions'])} encryptions, {len(vector['exports'])} exports"
        print(f"FAIL {', '.join(wrong)}" if wrong else f"ok   key schedule, {counted}")
        agree &= not wrong
    if not ours:
        print("FAIL no vector of this suite")
    return agree


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    match arguments:
        case ["open", _, *_]:
            agree = open_command(arguments[1:])
        case ["write", directory]:
            agree = write_command(directory)
        case ["hpke", path]:
            agree = hpke_command(path)
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
