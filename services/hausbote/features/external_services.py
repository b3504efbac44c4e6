"""Where clients find the relay for calls, and credentials for it (XEP-0215).

The server's domain answers, and the turn service knows what: a question goes to it over the bus,
and the client is answered when its answer comes.  Clients that asked for one type of service are
pushed what changes of it.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from hausbote.base import relay
from hausbote.base.clock import timestamp
from hausbote.base.relay import Answer, Offer, Question
from hausbote.base.shares import Shares
from hausbote.base.tokens import token
from hausbote.core.bus.frame import Frame
from hausbote.core.dispatch import answer, refuse
from hausbote.core.feature import Feature, Moment, Target
from hausbote.core.host import Host
from hausbote.core.request import LATER, Request
from hausbote.core.session import Session
from hausbote.xmpp import ns
from hausbote.xmpp.errors import (
    BadRequest,
    Forbidden,
    ItemNotFound,
    RemoteServerTimeout,
    ResourceConstraint,
    StanzaError,
)
from hausbote.xmpp.stanza import Child, child, start_tag
from hausbote.xmpp.xml import Markup, el

feature = Feature("external services", xeps={"0215": "1.0.0"}, disco=(ns.EXTERNAL_SERVICES,))

_SERVICE: Final = "turn"
_MAX_OPEN: Final = 1_000  # questions without an answer
_PATIENCE: Final = 60.0  # seconds until one is given up
_MAX_TEXT: Final = 255  # characters of a type or host that could be one

Told = Callable[["tuple[Offer, ...] | StanzaError"], None]
_Key = tuple[str, str, int, str]


class _Waiting(NamedTuple):
    """Who is to be told, and when they asked, on time.monotonic()'s clock."""

    told: Told
    since: float


class Questions:
    """What the turn service was asked and has not answered, by id."""

    def __init__(self) -> None:
        self.open: Shares[str, _Waiting] = Shares(_MAX_OPEN)


class _Watch(NamedTuple):
    """What a client asked for, and which services it knows by that."""

    type: str
    known: frozenset[_Key]


class Watches:
    """Of the sessions that asked for one type of service."""

    def __init__(self) -> None:
        self.by_session: dict[Session, _Watch] = {}


# -- requests ----------------------------------------------------------------------------------


@feature.iq("get", ns.EXTERNAL_SERVICES, "services", Target.HOST)
def services(request: Request) -> Child:
    """All services, or those of one type (§3.1, §3.2)."""
    session = _local(request)
    type = _text(start_tag(request.payload).get("type", ""))
    question = Question(token(96), session.jid.bare, type)
    _ask(request.host, question, partial(_list, request, session, type))
    return LATER


@feature.iq("get", ns.EXTERNAL_SERVICES, "credentials", Target.HOST)
def credentials(request: Request) -> Child:
    """Credentials for a service that the client knows (§3.3)."""
    session = _local(request)
    wanted = request.tree().findall(f"{{{ns.EXTERNAL_SERVICES}}}service")
    if len(wanted) != 1:
        raise BadRequest("credentials are for one service")
    service = wanted[0]
    type, host = _text(service.get("type", "")), _text(service.get("host", ""))
    if not type or not host:
        raise BadRequest("a service is named by its type and host")
    transport = _text(service.get("transport", ""))
    port = _port(service.get("port"))
    question = Question(token(96), session.jid.bare, type, host, port, transport)
    _ask(request.host, question, partial(_grant, request))
    return LATER


def _local(request: Request) -> Session:
    if request.session is None:
        raise Forbidden("this is for the people of this server")
    return request.session


def _text(value: str) -> str:
    if len(value) > _MAX_TEXT:
        raise BadRequest("that is too long")
    return value


def _port(value: str | None) -> int:
    if value is None:
        return 0
    if not (value.isascii() and value.isdigit() and len(value) <= 5 and 0 < int(value) < 65_536):
        raise BadRequest("there is no such port")
    return int(value)


def _list(
    request: Request, session: Session, type: str, told: tuple[Offer, ...] | StanzaError
) -> None:
    if isinstance(told, StanzaError):
        refuse(request.host, request.stanza, told, request.session)
        return
    if type and not session.gone:
        watches = request.host.state(Watches).by_session
        watches[session] = _Watch(type, frozenset(map(_key, told)))
    listed = [_markup(offer) for offer in told]
    answer(request, child(ns.EXTERNAL_SERVICES, "services", *listed, type=type or None))


def _grant(request: Request, told: tuple[Offer, ...] | StanzaError) -> None:
    if not isinstance(told, StanzaError) and not told:
        told = ItemNotFound("there is no such service")
    if isinstance(told, StanzaError):
        refuse(request.host, request.stanza, told, request.session)
        return
    answer(request, child(ns.EXTERNAL_SERVICES, "credentials", *[_markup(one) for one in told]))


def _markup(offer: Offer, action: str | None = None) -> Markup:
    return el(
        "service",
        action=action,
        type=offer.type,
        host=offer.host,
        port=str(offer.port),
        transport=offer.transport,
        restricted="1" if offer.is_restricted else None,
        username=offer.username or None,
        password=offer.password or None,
        expires=timestamp(offer.expires) if offer.expires else None,
    )


# -- questions to the turn service -------------------------------------------------------------


def _ask(host: Host, question: Question, told: Told) -> None:
    waiting = _Waiting(told, time.monotonic())
    displaced = host.state(Questions).open.put(question.id, question.account, waiting)
    if displaced is not None:
        displaced.value.told(ResourceConstraint("too many are asking at the moment"))
    host.bus.send(_SERVICE, relay.ASK, "", (), question.pack())


@feature.frame(relay.TOLD)
def told(host: Host, frame: Frame) -> None:
    """An answer came; one that nobody waits for is of a time before we were restarted."""
    found = Answer.unpack(frame.payload)
    waiting = host.state(Questions).open.pop(found.id)
    if waiting is not None:
        limit = ResourceConstraint("that was often; the credentials you have may be good still")
        waiting.told(limit if found.offers is None else found.offers)


@feature.frame(relay.ASK)
def not_asked(host: Host, frame: Frame) -> None:
    """The question came back: the turn service was away for too long, or has a fault."""
    _give_up(host, Question.unpack(frame.payload).id)


def give_up_late(host: Host) -> None:
    """To be called every few seconds: whoever asked hears something, whatever became of it."""
    late = time.monotonic() - _PATIENCE
    questions = host.state(Questions).open
    for id in list(questions):
        waiting = questions.get(id)
        if waiting is None or waiting.since > late:
            return
        _give_up(host, id)


def _give_up(host: Host, id: str) -> None:
    waiting = host.state(Questions).open.pop(id)
    if waiting is not None:
        waiting.told(RemoteServerTimeout("this part of the server does not answer"))


# -- pushes ------------------------------------------------------------------------------------


@feature.frame(relay.CHANGED)
def changed(host: Host, _frame: Frame) -> None:
    """Ask anew for everybody who was told something before (§3.2)."""
    for session, watch in list(host.state(Watches).by_session.items()):
        question = Question(token(96), session.jid.bare, watch.type, unasked=True)
        _ask(host, question, partial(_push, host, session))


@feature.on(Moment.GONE)
def forget(host: Host, session: Session) -> None:
    host.state(Watches).by_session.pop(session, None)


def _push(host: Host, session: Session, told: tuple[Offer, ...] | StanzaError) -> None:
    watches = host.state(Watches).by_session
    watch = watches.get(session)
    if watch is None or isinstance(told, StanzaError):
        return
    now = {_key(offer): offer for offer in told}
    if not now and not watch.known:
        return
    watches[session] = _Watch(watch.type, frozenset(now))
    news = [_markup(o, "modify" if key in watch.known else "add") for key, o in now.items()]
    news += [_markup(Offer(*key), "delete") for key in sorted(watch.known - now.keys())]
    payload = child(ns.EXTERNAL_SERVICES, "services", *news, type=watch.type)
    session.send(host.queries.ask("set", payload, host.domain, session.jid, lambda _: None))


def _key(offer: Offer) -> _Key:
    return offer[:4]
