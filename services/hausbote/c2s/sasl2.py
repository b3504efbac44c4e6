"""SASL with everything that follows it in one exchange (XEP-0388).

<authenticate/> names the mechanism and what the client wants when it is in: to take over an older
session, or to bind a resource, and a token for the next time.  Nothing of that happens before the
login has succeeded, <success/> tells of all of it, and the stream goes on without a restart.
"""

import re
from typing import TYPE_CHECKING, Final

from hausbote.c2s import bind2, fast, upgrade, web_login
from hausbote.c2s.login import (
    Login,
    hold_back,
    keep_locked_out,
    note_success,
    tell_failure,
)
from hausbote.core.feature import Feature, Inline
from hausbote.core.host import Host
from hausbote.features.clients import Agent
from hausbote.storage import Token
from hausbote.xmpp import ns
from hausbote.xmpp.errors import BadRequest, StreamError
from hausbote.xmpp.sasl import Challenge, SaslError, decode, encode
from hausbote.xmpp.stanza import Child, Stanza
from hausbote.xmpp.unfold import text_of, unfold
from hausbote.xmpp.xml import Markup, el

if TYPE_CHECKING:
    from hausbote.c2s.stream import ClientStream

feature = Feature("sasl2", xeps={"0388": "1.0.4"})

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_MAX_TEXT: Final = 100  # characters of what a client says of itself


class Attempt:
    """One <authenticate/> and how far it is.

    `fast` has the attributes of <fast/>, `used` is the token that was proven, `task` is under way.
    """

    __slots__ = (
        "agent",
        "bind",
        "fast",
        "initial",
        "inlines",
        "mechanism",
        "task",
        "upgrades",
        "used",
        "wants_token",
    )

    def __init__(self, element: Stanza) -> None:
        self.mechanism = element.attrs.get("mechanism", "")
        self.agent = Agent()
        self.initial: bytes | None = None
        self.bind: Child | None = None
        self.fast: dict[str, str] | None = None
        self.wants_token = ""
        self.upgrades: list[str] = []
        self.inlines: list[Child] = []
        self.used: Token | None = None
        self.task: upgrade.Upgrade | None = None
        for child in element.children:
            self._read(child)

    def _read(self, child: Child) -> None:
        match child.ns, child.name:
            case ns.SASL2, "initial-response":
                self.initial = _decoded(text_of(child))
            case ns.SASL2, "user-agent":
                self.agent = _agent(unfold(child))
            case ns.BIND2, "bind":
                self.bind = child
            case ns.FAST, "fast":
                self.fast = unfold(child).attrs
            case ns.FAST, "request-token":
                self.wants_token = unfold(child).attrs.get("mechanism", "")
            case ns.SASL_UPGRADE, "upgrade":
                self.upgrades.append(text_of(child))
            case _:
                self.inlines.append(child)


def _agent(element: Stanza) -> Agent:
    id = element.attrs.get("id", "").lower()
    if id and not _UUID.match(id):
        raise SaslError("malformed-request", "a user agent's id is a UUID")
    texts = {c.name: text_of(c)[:_MAX_TEXT] for c in element.children if c.ns == ns.SASL2}
    return Agent(id, texts.get("software", ""), texts.get("device", ""))


def _decoded(text: str) -> bytes:
    return decode(text) if text else b""


# -- what is offered ---------------------------------------------------------------------------


class _Offers:
    """<authentication/> by what it depends on: the mechanisms, and the channel bindings."""

    def __init__(self) -> None:
        self.made: dict[tuple[tuple[str, ...], tuple[str, ...]], Markup] = {}


def authentication_feature(host: Host, login: Login) -> Markup:
    """<authentication/> for this connection."""
    made, key = host.state(_Offers).made, (tuple(login.offered), tuple(login.bindings))
    if key not in made:
        inlines = [offer for offer, _ in host.registry.sasl_inlines.values()]
        made[key] = el(
            "authentication",
            *[el("mechanism", name) for name in login.offered],
            el("inline", bind2.bind_feature(host), fast.fast_feature(host, login), *inlines),
            upgrade.upgrade_feature(),
            xmlns=ns.SASL2,
        )
    return made[key]


# -- one step after the other ------------------------------------------------------------------


def take_step(stream: "ClientStream", element: Stanza) -> None:
    """Handle an element of SASL2 before the login is done."""
    login = stream.login
    assert login is not None
    if element.name == "authenticate" and login.attempt is not None:
        raise StreamError("policy-violation", "one login at a time")
    try:
        if element.name == "authenticate":
            login.exchange = None
            login.attempt = Attempt(element)
            _begin(stream, login, login.attempt)
        elif login.attempt is None:
            raise SaslError("malformed-request")
        else:
            _go_on(stream, login, login.attempt, element)
    except SaslError as error:
        _fail(stream, error)
    except BadRequest:
        _fail(stream, SaslError("malformed-request"))


def _begin(stream: "ClientStream", login: Login, attempt: Attempt) -> None:
    server = stream.server
    if attempt.fast is not None:
        proof = fast.log_in(server.host, login, attempt)
        attempt.used = proof.token
        login.local = proof.local
        _succeed(stream, login, attempt, proof.data)
        return
    login.begin(attempt.mechanism, server)
    if attempt.initial is None:
        stream.say(el("challenge", xmlns=ns.SASL2))
    else:
        _step(stream, login, attempt, attempt.initial)


def _go_on(stream: "ClientStream", login: Login, attempt: Attempt, element: Stanza) -> None:
    host, task = stream.server.host, attempt.task
    match element.name:
        case "abort":
            raise SaslError("aborted")
        case "response" if task is None:
            _step(stream, login, attempt, _decoded(element.inner.strip()))
        case "next" if task is not None:
            stream.say(upgrade.begin(task, element))
        case "task-data" if task is not None:
            upgrade.finish(host, login.local, task, element)
            stream.server.keys.look_again()
            _succeed(stream, login, attempt, None)
        case _:
            raise StreamError("policy-violation", "this is not the next step of the login")


def _step(stream: "ClientStream", login: Login, attempt: Attempt, message: bytes) -> None:
    exchange, host = login.exchange, stream.server.host
    if exchange is None:
        raise SaslError("malformed-request")
    if exchange.local:
        hold_back(stream, exchange.local)  # others may have failed since the challenge
    answer = exchange.respond(message)
    if exchange.authzid and login.sender is not None and login.sender.local != exchange.local:
        raise SaslError("invalid-authzid", "the stream is from somebody else")
    if isinstance(answer, Challenge):
        if exchange.local:
            hold_back(stream, exchange.local)
        stream.say(el("challenge", encode(answer.data), xmlns=ns.SASL2))
        return
    keep_locked_out(stream, answer.local)
    login.local = answer.local
    if answer.agent:
        web_login.take_for_page(host, login, answer.agent)
        _succeed(stream, login, attempt, None)
    elif upgrade.is_due(host, login.local, attempt):
        assert answer.data is not None  # SCRAM proves that the server knows the password, too
        attempt.task = upgrade.Upgrade()
        stream.say(upgrade.demand(answer.data))
    else:
        _succeed(stream, login, attempt, answer.data)


def _fail(stream: "ClientStream", error: SaslError) -> None:
    detail = el("text", error.text, xml_lang="en") if error.text else None
    failure = el("failure", el(error.condition, xmlns=ns.SASL), detail, xmlns=ns.SASL2)
    tell_failure(stream, error, failure)


# -- success -----------------------------------------------------------------------------------


def _succeed(stream: "ClientStream", login: Login, attempt: Attempt, data: bytes | None) -> None:
    """Everything that was asked for, then <success/>, then the features (§2.6.1)."""
    host = stream.server.host
    answers: list[Markup | None] = []
    if not login.agent.is_browser:  # whom the portal has remembered
        login.agent = attempt.agent
        _remember(host, login, attempt)
        answers.append(fast.settle(host, login, attempt))
    login.exchange = login.attempt = None
    login.done = True
    note_success(stream, login.local)
    taken = Inline()
    for element in attempt.inlines:
        taken = _inline(stream, login.local, element)
        answers.append(taken.answer)
        if taken.session is not None:
            break
    jid, session = f"{login.local}@{host.domain}", taken.session
    if session is not None:
        jid = session.jid.full
        stream.welcome(session)
    elif attempt.bind is not None:
        session, bound = bind2.bind(stream, attempt.bind)
        jid = session.jid.full
        answers.append(bound)
    said = el("additional-data", encode(data)) if data is not None else None
    stream.say(el("success", said, el("authorization-identifier", jid), *answers, xmlns=ns.SASL2))
    if taken.session is None:  # a stream that goes on needs none (XEP-0198 §9.2)
        stream.send_features()
        if session is not None:
            bind2.let_out(session)
    if taken.afterwards is not None:
        taken.afterwards()


def _inline(stream: "ClientStream", local: str, element: Child) -> Inline:
    host = stream.server.host
    found = host.registry.sasl_inlines.get((element.ns, element.name))
    return Inline() if found is None else found[1](host, stream, local, element)


def _remember(host: Host, login: Login, attempt: Attempt) -> None:
    """Who has access; written at once only if there is something new, for the disk's sake."""
    agent, now = attempt.agent, int(host.clock())
    if not agent.id:
        return
    known = host.store.clients.get(login.local, agent.id)
    password = attempt.used is None
    told = known is not None and (known.software, known.device) == agent[1:]
    if known is not None and told and (known.password or not password):
        host.store.clients.seen(login.local, agent.id, now)
        return
    host.store.clients.remember(
        login.local,
        agent.id,
        now,
        software=agent.software,
        device=agent.device,
        password=password,
        limit=host.settings.limits.clients_per_account,
    )
