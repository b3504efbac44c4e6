"""Who is logged in: a browser is a client of the account like any other (XEP-0388, XEP-0494), with
a token of its own.

So it is among one's devices, in the portal and in every client that shows them, is revoked there,
and ends with a new password, a lock, and the account.  The store has a hash of the token.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final, NamedTuple

from hausbote.base.tokens import token
from hausbote.features.clients import BROWSERS
from hausbote.portal.box import Box
from hausbote.storage import NEW, StorageError, Token

MECHANISM: Final = "portal"  # of tokens that no client can log in with by SASL
_DAY: Final = 86_400
DAYS: Final = 30  # until a browser that was not used has to log in again
_LONGEST: Final = 2_000  # characters of a cookie
_SECRET_BITS: Final = 256


class Session(NamedTuple):
    """A browser that is logged in; `secret` is the token itself, `renewed` whether its end was put
    off just now."""

    local: str
    agent: str
    secret: str
    renewed: bool = False

    def cookie(self) -> str:
        name = urlsafe_b64encode(self.local.encode()).decode().rstrip("=")
        return f"{name}.{self.agent.removeprefix(BROWSERS)}.{self.secret}"


def begin(box: Box, local: str, software: str, device: str) -> Session:
    """The account's holder has shown who they are; software and device are what it is listed as."""
    session = Session(local, BROWSERS + token(128), token(_SECRET_BITS))
    now, limit = int(box.clock()), box.settings.limits.clients_per_account
    box.store.clients.remember(
        local, session.agent, now, software=software, device=device, limit=limit
    ).wait()
    _issue(box, session)
    return session


def renew(box: Box, session: Session) -> Session:
    """Another token for the same browser, after a change that ends all of them."""
    fresh = session._replace(secret=token(_SECRET_BITS))
    _issue(box, fresh)
    return fresh


def _issue(box: Box, session: Session) -> None:
    now = int(box.clock())
    kept = Token(NEW, MECHANISM, _hashed(session.secret), now, now + DAYS * _DAY)
    box.store.tokens.issue(session.local, session.agent, kept)


def find(box: Box, cookie: str) -> Session | None:
    """Whom a cookie belongs to, unless that is over."""
    session = _parsed(cookie)
    if session is None:
        return None
    digest, now = _hashed(session.secret), box.clock()
    for kept in box.store.tokens.of(session.local, session.agent):
        if kept.mechanism == MECHANISM and hmac.compare_digest(kept.secret, digest):
            if kept.expires <= now:
                return None
            if kept.issued < now - _DAY:
                session = _put_off(box, session)
            box.store.clients.seen(session.local, session.agent, int(now))
            return session
    return None


def _put_off(box: Box, session: Session) -> Session:
    """With another end, if the disk takes that; else it is tried at the next request."""
    try:
        _issue(box, session)
    except StorageError:
        return session
    return session._replace(renewed=True)


def end(box: Box, session: Session) -> None:
    """Log out."""
    client = box.store.clients.get(session.local, session.agent)
    if client is not None:
        box.store.clients.revoke(session.local, client.ref)


def known_browser(cookie: str) -> tuple[str, str]:
    """The account and the id of a browser whose session may be over; ("", "") of a wrong cookie."""
    session = _parsed(cookie)
    return ("", "") if session is None else (session.local, session.agent)


def _parsed(cookie: str) -> Session | None:
    parts = cookie.split(".") if len(cookie) <= _LONGEST else []
    if len(parts) != 3 or not all(parts) or not cookie.isascii():
        return None
    name, agent, secret = parts
    try:
        local = urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode()
    except ValueError:
        return None
    return Session(local, BROWSERS + agent, secret)


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
