"""SASL on a client's stream (RFC 6120 §6, XEP-0440, 0474, 0515).

A name that does not exist fails exactly like a wrong password, and as slowly; what guessing costs
is in `guessing.py`.
"""

import time
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Final

import gevent

from hausbote.base.jid import JID
from hausbote.base.log import Event, Word, log
from hausbote.c2s import web_login
from hausbote.c2s.account_events import count_failure
from hausbote.core.feature import Feature
from hausbote.features.clients import Agent
from hausbote.xmpp import ns
from hausbote.xmpp.errors import StreamError
from hausbote.xmpp.sasl import (
    BEARER,
    HASHES,
    BearerServer,
    Challenge,
    Reason,
    SaslError,
    ScramKeys,
    ScramServer,
    Success,
    decode,
    encode,
    fake_keys,
    mechanisms,
)
from hausbote.xmpp.stanza import Stanza
from hausbote.xmpp.xml import Markup, el

if TYPE_CHECKING:
    from hausbote.c2s.sasl2 import Attempt
    from hausbote.c2s.server import Server
    from hausbote.c2s.stream import ClientStream
    from hausbote.net.transport import Transport
    from hausbote.storage import Store

feature = Feature("sasl", xeps={"0440": "1.0.0", "0474": "0.5.0", "0515": "0.1.0"})

_TRIES_PER_STREAM: Final = 4
_LOOK_AGAIN: Final = 60.0  # seconds


class Login:
    """How far one stream's login is.

    `sender` is whom the stream's header says it is from, `attempt` is what SASL2 is at, `states`
    what features know of the stream until somebody is logged in.
    """

    __slots__ = (
        "agent",
        "attempt",
        "bindings",
        "done",
        "exchange",
        "failures",
        "local",
        "offered",
        "sender",
        "states",
        "tls_version",
    )

    def __init__(self, server: "Server", connection: "Transport", sender: JID | None) -> None:
        self.bindings = connection.channel_bindings()
        self.tls_version = connection.tls_version
        self.offered = [
            *mechanisms(self.bindings, server.keys.hashes),
            *web_login.offered(server.host.settings, connection.way),
        ]
        self.sender = sender
        self.states: dict[type, Any] = {}
        self.exchange: ScramServer | BearerServer | None = None
        self.attempt: Attempt | None = None
        self.agent = Agent()
        self.failures = 0
        self.done = False
        self.local = ""

    def begin(self, mechanism: str, server: "Server") -> ScramServer | BearerServer:
        """Another exchange; what was before is over."""
        self.exchange = None
        host = server.host
        if mechanism == BEARER and mechanism in self.offered:
            self.exchange = web_login.exchange(host)
        else:
            self.exchange = ScramServer(
                mechanism, server.keys, self.bindings, host.domain, self.offered, self.tls_version
            )
        return self.exchange


class KeyRing:
    """Keys for every name: those of accounts, locked ones too, and fake ones that nothing fits."""

    def __init__(self, store: "Store") -> None:
        self._accounts = store.accounts
        self._secret = store.secret("fake-scram-keys")
        self._hashes: Collection[str] = HASHES
        self._looked_at = -_LOOK_AGAIN

    @property
    def hashes(self) -> Collection[str]:
        """What is offered to everybody: the hashes for which all accounts have keys.

        Accounts that have moved here may lack one, and clients take the best that they are offered.
        What is offered must not depend on who comes, which would tell who has an account.
        """
        now = time.monotonic()
        if now - self._looked_at >= _LOOK_AGAIN:
            self._looked_at = now
            common = [hash for hash in HASHES if self._accounts.everybody_has(hash)]
            self._hashes = common or HASHES
        return self._hashes

    def look_again(self) -> None:
        """Accounts have come, gone, or got other keys."""
        self._looked_at = -_LOOK_AGAIN

    def __call__(self, local: str, hash: str) -> ScramKeys:
        keys = self._accounts.keys(local, hash, even_locked=True)
        return keys or fake_keys(self._secret, local, hash)


def begin_login(stream: "ClientStream", auth: Stanza) -> None:
    """<auth/>: a mechanism and the client's first message."""
    login, server = stream.login, stream.server
    assert login is not None
    try:
        mechanism = auth.attrs.get("mechanism", "")
        if auth.children:
            raise SaslError("malformed-request")
        exchange = login.begin(mechanism, server)
        if auth.inner:
            _step(stream, exchange, auth.inner)
        else:
            stream.say(el("challenge", xmlns=ns.SASL))  # no initial response (§6.4.2)
    except SaslError as error:
        fail(stream, error)


def continue_login(stream: "ClientStream", response: Stanza) -> None:
    """<response/>: the client's next message."""
    assert stream.login is not None
    exchange = stream.login.exchange
    if exchange is None:
        fail(stream, SaslError("malformed-request"))
        return
    try:
        _step(stream, exchange, response.inner)
    except SaslError as error:
        fail(stream, error)


def _step(stream: "ClientStream", exchange: ScramServer | BearerServer, payload: str) -> None:
    message = decode(payload)
    if exchange.local:
        hold_back(stream, exchange.local)  # others may have failed since the challenge
    answer = exchange.respond(message)
    if isinstance(answer, Challenge):
        if exchange.local:
            hold_back(stream, exchange.local)
        stream.say(el("challenge", encode(answer.data), xmlns=ns.SASL))
    else:
        keep_locked_out(stream, answer.local)
        _succeed(stream, answer)


def _succeed(stream: "ClientStream", success: Success) -> None:
    login = stream.login
    assert login is not None
    login.exchange = None
    login.local = success.local
    if success.agent:
        web_login.take_for_page(stream.server.host, login, success.agent)
    login.done = True
    note_success(stream, success.local)
    said = encode(success.data) if success.data is not None else None
    stream.say(el("success", said, xmlns=ns.SASL))
    stream.restart()


def hold_back(stream: "ClientStream", local: str) -> None:
    """SaslError if there was too much guessing for one more try from there."""
    connection = stream.connection
    if stream.server.guard.refuses(connection.address, connection.way, local, _agent(stream)):
        raise SaslError(
            "temporary-auth-failure",
            "too many failed logins: wait some minutes, or log in with a client or from a network"
            " where you have logged in before",
            Reason.THROTTLED,
        )


def note_success(stream: "ClientStream", local: str) -> None:
    """Who has been in is not kept out by what others guess."""
    stream.server.guard.succeeded(stream.connection.address, stream.connection.way, local)


def _agent(stream: "ClientStream") -> str:
    attempt = stream.login.attempt if stream.login is not None else None
    return attempt.agent.id if attempt is not None else ""


def keep_locked_out(stream: "ClientStream", local: str) -> None:
    """SaslError if the account is locked: who has proven its password may know (§6.5.2)."""
    accounts = stream.server.host.store.accounts
    if not accounts.may_log_in(local):
        why = "the owner of this server has locked the account"
        if not accounts.is_here(local):
            why = "the account is being deleted: to keep it, log in at the server's web page"
        raise SaslError("account-disabled", why, Reason.LOCKED)


def fail(stream: "ClientStream", error: SaslError) -> None:
    """<failure/>; after a wrong password only when the penalty is over."""
    detail = el("text", error.text, xml_lang="en") if error.text else None
    tell_failure(stream, error, el("failure", el(error.condition), detail, xmlns=ns.SASL))


def tell_failure(stream: "ClientStream", error: SaslError, failure: Markup) -> None:
    """Say `failure`, and end what was under way; wrong passwords cost a penalty, nothing else does.

    A token cannot be guessed, and a client whose token is over must still get in by password.
    """
    login = stream.login
    penalty = 0.0
    if login is not None:
        _note(stream, error)
        if error.reason is Reason.WRONG_PASSWORD:
            local = login.exchange.local if login.exchange is not None else ""
            connection, guard = stream.connection, stream.server.guard
            penalty = guard.penalty(connection.address, connection.way, local, _agent(stream))
            count_failure(stream.server.host, local)
    if login is not None:
        login.exchange = login.attempt = None
        login.failures += 1
    if penalty:
        stream.waiting = True
        gevent.spawn_later(penalty, _say_failure, stream, failure)
    else:
        _say_failure(stream, failure)


def _note(stream: "ClientStream", error: SaslError) -> None:
    """Tell the owner why, and not who; a stream has so few tries that nobody fills the log."""
    if error.condition == "aborted":
        return
    reason = error.reason
    if reason is None and error.condition == "not-authorized":
        reason = Reason.WRONG_TOKEN  # the only other thing that is proven here
    event = Event.LOGINS_HELD_BACK if reason is Reason.THROTTLED else Event.LOGIN_FAILED
    why = error.condition if reason is None else reason.value
    log(event, session=Word(stream.tag), why=Word(why))


def _say_failure(stream: "ClientStream", failure: Markup) -> None:
    stream.say(failure)
    stream.waiting = False
    if stream.login is not None and stream.login.failures >= _TRIES_PER_STREAM:
        stream.end(StreamError("policy-violation", "too many failed logins"))
    else:
        stream.connection.resume()
