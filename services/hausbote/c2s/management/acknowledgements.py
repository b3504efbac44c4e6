"""Acknowledgements, both ways (XEP-0198 §3, §4)."""

import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from hausbote.base.tokens import token
from hausbote.c2s import bind2
from hausbote.c2s.management.managed import (
    ASK,
    Book,
    Managed,
    Place,
    failed,
    feature,
    number,
    overflowed,
    too_high,
)
from hausbote.core.acks import Acks
from hausbote.core.host import Host
from hausbote.core.session import Session
from hausbote.xmpp import ns
from hausbote.xmpp.acks import HandledCountTooHigh
from hausbote.xmpp.errors import (
    StreamError,
    UnexpectedRequest,
)
from hausbote.xmpp.stanza import Child, Stanza, start_tag
from hausbote.xmpp.xml import Markup, el

if TYPE_CHECKING:
    from hausbote.c2s.stream import ClientStream

_TRUE: Final = ("true", "1")


@feature.nonza(ns.SM, "enable")
def enable(host: Host, session: Session, element: Stanza) -> None:
    if session.acks is not None:
        raise StreamError("policy-violation", "stream management is enabled already")
    stream = cast("ClientStream", session.transport)
    session.transport.send(_enable(host, session, stream, element.attrs).encode())


@feature.bind_inline(ns.SM, "enable")
def enable_at_login(host: Host, session: Session, element: Child) -> Markup | None:
    if session.acks is not None:
        return None
    return _enable(host, session, bind2.stream_of(session), start_tag(element))


def _enable(
    host: Host, session: Session, stream: "ClientStream", attrs: Mapping[str, str]
) -> Markup:
    settings, book = host.settings.resumption, host.state(Book)
    seconds = _wanted_seconds(attrs.get("max"), settings.seconds)
    if attrs.get("resume") not in _TRUE:
        seconds = 0
    session.acks = Acks(
        host.settings.limits.unacknowledged_bytes, partial(overflowed, host, session)
    )
    managed = Managed(token(144) if seconds else "", seconds, session, stream)
    session.state(Place).managed = managed
    book.all.add(managed)
    if not seconds:
        return el("enabled", xmlns=ns.SM)
    book.by_id[managed.id] = managed
    return el(
        "enabled",
        id=managed.id,
        resume="true",
        max=str(seconds),
        location=settings.location or None,
        xmlns=ns.SM,
    )


def _wanted_seconds(asked: str | None, most: int) -> int:
    if asked is None or not asked.isdecimal() or not asked.isascii():
        return most
    return min(int(asked[:9]), most) or most


@feature.nonza(ns.SM, "r")
def answer(_host: Host, session: Session, _element: Stanza) -> None:
    """Answered when everything that came before is safe."""
    acks = session.acks
    if acks is None:
        session.transport.send(failed(UnexpectedRequest()).encode())
        return
    acks.ledger.then(lambda: _say_handled(session, acks), time.monotonic())


def _say_handled(session: Session, acks: Acks) -> None:
    session.transport.send(f"<a xmlns='{ns.SM}' h='{acks.ledger.count}'/>".encode())


@feature.nonza(ns.SM, "a")
def acknowledged(_host: Host, session: Session, element: Stanza) -> None:
    acks = session.acks
    if acks is None:
        session.transport.send(failed(UnexpectedRequest()).encode())
        return
    h = number(element.attrs.get("h"))
    if h is None:
        raise StreamError("policy-violation", "an <a/> has a number h")
    try:
        complete = acks.unacked.acknowledge(h)
    except HandledCountTooHigh as problem:
        raise too_high(problem) from None
    if complete and acks.unacked.is_due():
        session.transport.send(ASK)


@feature.nonza(ns.SM, "resume")
def resume_late(_host: Host, session: Session, _element: Stanza) -> None:
    """There is a session already."""
    session.transport.send(failed(UnexpectedRequest()).encode())
