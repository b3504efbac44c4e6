"""The server's side of OAUTHBEARER (RFC 7628): who shows a token is in.

The token goes over the wire as it is, so it is for one use, and only its hash has to be known.
"""

import re
from collections.abc import Callable
from typing import Final

from hausbote.base.jid import JID, InvalidJID
from hausbote.xmpp.sasl.errors import Reason, SaslError
from hausbote.xmpp.sasl.exchange import Challenge, Success

BEARER: Final = "OAUTHBEARER"

_BETWEEN: Final = "\x01"
_KEY: Final = re.compile(r"[A-Za-z]{1,20}\Z")
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]{1,200}\Z")  # RFC 6750 §2.1, unpadded
_INVALID: Final = b'{"status":"invalid_token"}'

Lookup = Callable[[str], tuple[str, str] | None]
"""A token → the account and the client that it is of, and it is used up; None for any other."""


class BearerServer:
    """One login.  SaslError ends the exchange for good.

    `local` and `authzid` are there for whoever holds other mechanisms' exchanges, too: a name is
    known when the token is, and who says whom they come for has said so to this exchange.
    """

    def __init__(self, lookup: Lookup, domain: str) -> None:
        self.local = ""
        self.authzid = False
        self._lookup = lookup
        self._domain = domain
        self._refused = False

    def respond(self, message: bytes) -> Challenge | Success:
        """The answer to the client's next message.

        Why a token is no good is told in a challenge; the client has to answer that before the
        exchange can fail (§3.2.3), and it does not matter what.
        """
        if self._refused:
            raise SaslError("not-authorized", reason=Reason.WRONG_TOKEN)
        authzid, token = _read(message)
        wanted = _account(authzid, self._domain) if authzid else ""
        found = self._lookup(token) if _TOKEN.match(token) else None
        if found is None:
            self._refused = True
            return Challenge(_INVALID)
        self.local, agent = found
        if wanted and wanted != self.local:
            raise SaslError("invalid-authzid", "the token is somebody else's")
        self.authzid = bool(authzid)
        return Success(None, self.local, agent)


def _read(message: bytes) -> tuple[str, str]:
    """The name in the header and the token, each "" without one (§3.1)."""
    try:
        header, *pairs = message.decode().split(_BETWEEN)
    except UnicodeDecodeError:
        raise SaslError("malformed-request") from None
    if pairs[-2:] != ["", ""]:
        raise SaslError("malformed-request")
    fields = header.split(",")
    if len(fields) != 3 or fields[0] not in ("n", "y") or fields[2]:
        raise SaslError("malformed-request", "this mechanism has no channel binding")
    if fields[1] and not fields[1].startswith("a="):
        raise SaslError("malformed-request")
    values: dict[str, str] = {}
    for pair in pairs[:-2]:
        key, found, value = pair.partition("=")
        if not found or not _KEY.match(key) or key in values:
            raise SaslError("malformed-request")
        values[key] = value
    scheme, _, token = values.get("auth", "").partition(" ")
    name = fields[1][2:].replace("=2C", ",").replace("=3D", "=")
    return name, token if scheme.lower() == "bearer" else ""


def _account(authzid: str, domain: str) -> str:
    try:
        wanted = JID.parse(authzid)
    except InvalidJID:
        raise SaslError("invalid-authzid") from None
    if wanted.domain != domain or wanted.resource or not wanted.local:
        raise SaslError("invalid-authzid")
    return wanted.local
