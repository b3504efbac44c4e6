"""Logging in with a token instead of a password (XEP-0484).

A client gets one when it has logged in otherwise and asks for it.  It is for one mechanism and one
installation; it is replaced when it is a day old, and ends when it was not used for long, when the
password changes or when someone revokes it.
"""

from typing import TYPE_CHECKING, Final

from hausbote.base.clock import timestamp
from hausbote.base.tokens import token
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.storage import ENDED, NEW, StorageError, Token
from hausbote.xmpp import ns
from hausbote.xmpp.sasl import Proof, SaslError, check_token, token_mechanisms
from hausbote.xmpp.xml import Markup, el

if TYPE_CHECKING:
    from hausbote.c2s.login import Login
    from hausbote.c2s.sasl2 import Attempt

feature = Feature("tokens", xeps={"0484": "0.2.0"})

_DAY: Final = 86_400  # seconds
_SECRET_BITS: Final = 256
_MAX_COUNT: Final = 2**31 - 1


def fast_feature(host: Host, login: "Login") -> Markup | None:
    """<fast/> for SASL2's <inline/>; None if this box gives no tokens."""
    names = _offered(host, login)
    return el("fast", *[el("mechanism", name) for name in names], xmlns=ns.FAST) if names else None


def _offered(host: Host, login: "Login") -> list[str]:
    return token_mechanisms(login.bindings) if host.settings.retention.tokens_days else []


def log_in(host: Host, login: "Login", attempt: "Attempt") -> Proof[Token]:
    """Who proves a valid token; SaslError if nobody does.

    `credentials-expired` (§4.2) is for who proves one that was valid once, and for nobody else:
    whether there is such an account, or such a client of it, is not to be learned here.
    """
    agent = attempt.agent.id
    if attempt.mechanism not in _offered(host, login):
        raise SaslError("invalid-mechanism")
    if not agent or attempt.initial is None:
        raise SaslError("malformed-request", "a user agent's id and a response are needed")
    _count(attempt)

    def tokens(local: str) -> list[Token]:
        kept = host.store.tokens
        return [*kept.of(local, agent), *kept.ended(local, agent)]

    proof = check_token(attempt.mechanism, attempt.initial, tokens, login.bindings)
    if login.sender is not None and login.sender.local not in ("", proof.local):
        raise SaslError("not-authorized")
    if proof.token.slot == ENDED or proof.token.expires <= host.surely():
        raise SaslError("credentials-expired")
    return proof


def settle(host: Host, login: "Login", attempt: "Attempt") -> Markup | None:
    """Note the use of a token, and answer with a new one if it is asked for or due.

    SaslError if the token was used up or revoked meanwhile.
    """
    used, agent = attempt.used, attempt.agent.id
    wanted = attempt.wants_token if attempt.wants_token in _offered(host, login) else ""
    discard = _discards(attempt)
    if used is not None and not wanted and not discard and used.issued < host.clock() - _DAY:
        wanted = used.mechanism
    fresh = _fresh(host, wanted) if wanted and agent else None
    try:
        if used is not None:
            _use(host, login, attempt, used, discard, fresh)
        elif fresh is not None and not host.store.tokens.issue(login.local, agent, fresh):
            fresh = None
    except StorageError:
        # Whoever has a password gets in without the disk, too.
        if used is not None:
            raise SaslError("temporary-auth-failure", "this cannot be written down now") from None
        fresh = None
    if fresh is None:
        return None
    return el("token", xmlns=ns.FAST, expiry=timestamp(fresh.expires), token=fresh.secret)


def _use(
    host: Host,
    login: "Login",
    attempt: "Attempt",
    used: Token,
    discard: bool,
    fresh: Token | None,
) -> None:
    """Write down what changes by this use, which most often is nothing."""
    count, tokens = _count(attempt), host.store.tokens
    counted = count or used.counted
    if (counted or discard or fresh is not None or used.slot == NEW) and not tokens.use(
        login.local, attempt.agent.id, used, count=count, discard=discard, fresh=fresh
    ):
        raise SaslError("not-authorized")


def _fresh(host: Host, mechanism: str) -> Token:
    now = int(host.clock())
    expires = now + host.settings.retention.tokens_days * _DAY
    return Token(NEW, mechanism, token(_SECRET_BITS), now, expires)


def _discards(attempt: "Attempt") -> bool:
    return attempt.fast is not None and attempt.fast.get("invalidate") in ("1", "true")


def _count(attempt: "Attempt") -> int:
    """The client's number for this login, 0 without one."""
    text = (attempt.fast or {}).get("count")
    if text is None:
        return 0
    if not text.isascii() or not text.isdecimal() or not 0 < int(text[:11]) <= _MAX_COUNT:
        raise SaslError("malformed-request", "a count is a positive number")
    return int(text)
