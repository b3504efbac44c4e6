"""What is kept of a password: salted keys that prove it and cannot replay it (RFC 5802 §3)."""

import hashlib
import hmac
import secrets
from typing import Final, NamedTuple

from hausbote.base.jid import prepare_password

ITERATIONS: Final = 10_000
HASHES: Final = {"SHA-1": "sha1", "SHA-256": "sha256"}
SALT_BYTES: Final = 16


class ScramKeys(NamedTuple):
    """StoredKey and ServerKey with the salt and the iteration count that made them."""

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes


def derive_keys(
    password: str, hash_name: str, *, salt: bytes | None = None, iterations: int = ITERATIONS
) -> ScramKeys:
    """Keys of a prepared password for "SHA-1" or "SHA-256"; takes milliseconds on purpose.

    InvalidJID, a ValueError, if the password has characters that none may have.
    """
    if salt is None:
        salt = secrets.token_bytes(SALT_BYTES)
    digest = HASHES[hash_name]
    prepared = prepare_password(password).encode()
    salted = hashlib.pbkdf2_hmac(digest, prepared, salt, iterations)
    return keys_of_salted(salted, hash_name, salt, iterations)


def keys_of_salted(salted: bytes, hash_name: str, salt: bytes, iterations: int) -> ScramKeys:
    """Keys of a SaltedPassword that someone else has computed."""
    digest = HASHES[hash_name]
    client_key = hmac.digest(salted, b"Client Key", digest)
    stored_key = hashlib.new(digest, client_key).digest()
    return ScramKeys(salt, iterations, stored_key, hmac.digest(salted, b"Server Key", digest))


def keys_for(password: str) -> dict[str, ScramKeys]:
    """Keys for every hash that we offer; ValueError for a password that cannot be one."""
    return {name: derive_keys(password, name) for name in HASHES}


def fake_keys(secret: bytes, local: str, hash_name: str, iterations: int = ITERATIONS) -> ScramKeys:
    """Keys for a name that has no account: always the same ones, and no password fits them."""
    size = hashlib.new(HASHES[hash_name]).digest_size

    def derived(what: str, length: int) -> bytes:
        label = f"{what}\0{hash_name}\0{local}".encode()
        return hmac.digest(secret, label, "sha256")[:length]

    return ScramKeys(
        derived("salt", SALT_BYTES), iterations, derived("stored", size), derived("server", size)
    )
