"""The server's side of SCRAM (RFC 5802, RFC 7677), strict about every byte of it.

A name without an account takes the same path as a wrong password: `lookup` gives keys that nothing
fits, and the exchange fails in its last step.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Collection, Mapping
from typing import Final

from hausbote.base.jid import JID, InvalidJID, prepare_local
from hausbote.xmpp.sasl.downgrade import protection
from hausbote.xmpp.sasl.errors import Reason, SaslError
from hausbote.xmpp.sasl.exchange import Challenge, Success
from hausbote.xmpp.sasl.keys import HASHES, ScramKeys
from hausbote.xmpp.sasl.payload import from_base64

_MECHANISMS: Final = {
    "SCRAM-SHA-256-PLUS": "SHA-256",
    "SCRAM-SHA-1-PLUS": "SHA-1",
    "SCRAM-SHA-256": "SHA-256",
    "SCRAM-SHA-1": "SHA-1",
}
_NONCE: Final = re.compile(r"[\x21-\x2b\x2d-\x7e]{1,256}\Z")
_NONCE_BYTES: Final = 18
_BAD_ESCAPE: Final = re.compile(r"=(?!2C|3D)")
# Optional extensions are ignored; m= is the mandatory kind, and we know none (RFC 5802 §5.1).
_EXTENSION: Final = re.compile(r"(?!m)[A-Za-z]=[^\0,]+\Z")

Lookup = Callable[[str, str], ScramKeys]
"""(local part, "SHA-1" or "SHA-256") → the account's keys, or fake ones."""


def mechanisms(bindings: Collection[str], hashes: Collection[str] = HASHES) -> list[str]:
    """What to offer by these hashes, best first; -PLUS only if there is something to bind to."""
    return [
        name
        for name, hash in _MECHANISMS.items()
        if hash in hashes and (bindings or not name.endswith("-PLUS"))
    ]


class ScramServer:
    """One login.

    `bindings` maps channel binding types to their data on this connection, `offered` are the
    mechanisms that the client was shown, `tls_version` is the number of TLS's version or 0.
    SaslError ends the exchange for good.
    """

    def __init__(
        self,
        mechanism: str,
        lookup: Lookup,
        bindings: Mapping[str, bytes],
        domain: str,
        offered: Collection[str],
        tls_version: int = 0,
    ) -> None:
        if mechanism not in _MECHANISMS or mechanism not in offered:
            raise SaslError("invalid-mechanism")
        self._hash = _MECHANISMS[mechanism]
        self._plus = mechanism.endswith("-PLUS")
        self._plus_offered = any(name.endswith("-PLUS") for name in offered)
        self._protection = protection(offered, bindings, self._hash, tls_version)
        self._lookup = lookup
        self._bindings = bindings
        self._domain = domain
        # Functions, not methods: a login that is given up would hold itself for the collector.
        self._step: Callable[[ScramServer, str], Challenge | Success] | None = (
            ScramServer._client_first
        )
        self.local = ""  # the name that the client gave, prepared
        self.authzid = False  # whether it also said on whose behalf it comes
        self._keys: ScramKeys
        self._nonce = self._gs2 = self._first_bare = self._server_first = ""
        self._binding = b""

    def respond(self, message: bytes) -> Challenge | Success:
        """The answer to the client's next message."""
        step, self._step = self._step, None
        if step is None:
            raise SaslError("malformed-request")
        try:
            text = message.decode()
        except UnicodeDecodeError:
            raise SaslError("malformed-request") from None
        return step(self, text)

    # -- client-first-message ------------------------------------------------------------------

    def _client_first(self, text: str) -> Challenge:
        parts = text.split(",", 2)
        if len(parts) != 3:
            raise SaslError("malformed-request")
        flag, authzid, bare = parts
        self._gs2 = f"{flag},{authzid},"
        self._first_bare = bare
        self._check_flag(flag)
        self.local, client_nonce = self._names(authzid, bare)
        self._keys = self._lookup(self.local, self._hash)
        self._nonce = client_nonce + secrets.token_urlsafe(_NONCE_BYTES)
        salt = base64.b64encode(self._keys.salt).decode()
        first = f"r={self._nonce},s={salt},i={self._keys.iterations}"
        self._server_first = first + self._protection
        self._step = ScramServer._client_final
        return Challenge(self._server_first.encode())

    def _check_flag(self, flag: str) -> None:
        """RFC 5802 §6: what the client says of channel binding must fit what we offered."""
        if flag.startswith("p="):
            if not self._plus:
                raise SaslError("malformed-request", "channel binding needs a -PLUS mechanism")
            binding = self._bindings.get(flag[2:])
            if binding is None:
                raise SaslError(
                    "malformed-request",
                    f"this channel binding was not offered, but {self._types()}",
                    Reason.UNKNOWN_BINDING,
                )
            self._binding = binding
        elif flag not in ("n", "y"):
            raise SaslError("malformed-request")
        elif self._plus:
            raise SaslError("malformed-request", "a -PLUS mechanism needs channel binding")
        elif flag == "y" and self._plus_offered:
            raise SaslError(
                "not-authorized",
                "the client says that it was offered no -PLUS mechanism, and it was: somebody"
                f" removed them on the way, or it can bind to none of {self._types()}",
                Reason.DOWNGRADE,
            )

    def _types(self) -> str:
        return ", ".join(self._bindings)

    def _names(self, authzid: str, bare: str) -> tuple[str, str]:
        fields = bare.split(",")
        if len(fields) < 2 or not fields[0].startswith("n=") or not fields[1].startswith("r="):
            raise SaslError("malformed-request")
        nonce = fields[1][2:]
        if not _NONCE.match(nonce) or not all(map(_EXTENSION.match, fields[2:])):
            raise SaslError("malformed-request")
        try:
            local = prepare_local(_unescape(fields[0][2:]))
        except InvalidJID:
            raise SaslError("not-authorized", reason=Reason.WRONG_PASSWORD) from None
        if authzid:
            self._check_authzid(authzid, local)
            self.authzid = True
        return local, nonce

    def _check_authzid(self, authzid: str, local: str) -> None:
        if not authzid.startswith("a="):
            raise SaslError("malformed-request")
        try:
            wanted = JID.parse(_unescape(authzid[2:]))
        except InvalidJID:
            raise SaslError("invalid-authzid") from None
        if (wanted.local, wanted.domain, wanted.resource) != (local, self._domain, ""):
            raise SaslError("invalid-authzid")

    # -- client-final-message ------------------------------------------------------------------

    def _client_final(self, text: str) -> Success:
        without_proof, found, proof = text.rpartition(",p=")
        fields = without_proof.split(",")
        if not found or len(fields) < 2 or not all(map(_EXTENSION.match, fields[2:])):
            raise SaslError("malformed-request")
        binding, nonce = fields[0], fields[1]
        if not binding.startswith("c=") or not nonce.startswith("r="):
            raise SaslError("malformed-request")
        expected = self._gs2.encode() + self._binding
        bound = hmac.compare_digest(_base64(binding[2:]), expected)
        fresh = hmac.compare_digest(nonce[2:].encode(), self._nonce.encode())
        signed = f"{self._first_bare},{self._server_first},{without_proof}".encode()
        proven = self._proves(_base64(proof), signed)
        if not (bound and fresh and proven):
            reason = Reason.OTHER_CHANNEL if proven and fresh else Reason.WRONG_PASSWORD
            raise SaslError("not-authorized", reason=reason)
        signature = hmac.digest(self._keys.server_key, signed, HASHES[self._hash])
        return Success(b"v=" + base64.b64encode(signature), self.local)

    def _proves(self, proof: bytes, signed: bytes) -> bool:
        digest, stored_key = HASHES[self._hash], self._keys.stored_key
        if len(proof) != len(stored_key):
            raise SaslError("malformed-request")
        signature = hmac.digest(stored_key, signed, digest)
        client_key = bytes([a ^ b for a, b in zip(proof, signature, strict=True)])
        return hmac.compare_digest(hashlib.new(digest, client_key).digest(), stored_key)


def _unescape(name: str) -> str:
    if not name or _BAD_ESCAPE.search(name):
        raise SaslError("malformed-request")
    return name.replace("=2C", ",").replace("=3D", "=")


def _base64(text: str) -> bytes:
    try:
        return from_base64(text)
    except ValueError:
        raise SaslError("malformed-request") from None
