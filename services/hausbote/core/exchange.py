"""Stanzas, and what features say, to and from the other services of the box."""

from collections.abc import Callable, Iterable
from typing import Final

from hausbote.base.compact import read
from hausbote.base.log import Event, Word, log
from hausbote.core import circular
from hausbote.core.bus import Bus
from hausbote.core.bus.cause import Pending
from hausbote.core.bus.frame import STANZA, STANZAS, Frame
from hausbote.core.dispatch import refuse, route
from hausbote.core.handled import was_handled
from hausbote.core.host import Host
from hausbote.storage.arrivals import name_of
from hausbote.xmpp import ns
from hausbote.xmpp.errors import ServiceUnavailable
from hausbote.xmpp.stanza import Child, Stanza, child, stanza

_LONG_GOODBYE: Final = 2_048  # bytes


def from_bus(host: Host, frame: Frame) -> list[Pending]:
    """Handle a frame for this service; returns what must be on disk before it is safe."""
    handler = host.registry.frames.get(frame.kind)
    if handler is not None:
        handler(host, frame)
        return []
    if host.has_accounts and was_handled(host, frame.id):
        return []
    tickets: list[Pending] = []
    for one in _unpack(frame):
        host.handled += 1
        if circular.is_of_room(host, one):
            tickets += circular.deliver(host, one, frame.recipients)
            continue
        for recipient in frame.recipients:
            copy = one if one.to == recipient else one.replace(to=recipient)
            tickets += route(host, copy)
    if tickets and host.has_accounts:
        tickets.append(host.store.arrivals.note(name_of(frame.id)))
    return tickets


def announce_restart(host: Host, here: Iterable[str]) -> None:
    """Tell the rooms that this service was started: of its clients only those are there still."""
    _tell_rooms(host, child(ns.BOX, "restarted", "\n".join(here)))


def announce_deletion(host: Host, local: str) -> None:
    """Tell the rooms that an account is gone: whoever gets the name next is somebody else."""
    _tell_rooms(host, child(ns.BOX, "deleted", account=local))


def announce_member(host: Host, circle: str, local: str) -> None:
    """Tell the rooms that somebody was taken into a circle, whose room has that name."""
    _tell_rooms(host, child(ns.BOX, "joined", account=local, room=circle))


def _tell_rooms(host: Host, notice: Child) -> None:
    rooms = host.settings.names.rooms
    if rooms in host.services:
        message = stanza("message", notice, from_=host.domain, to=rooms)
        host.bus.send_vital(host.services[rooms], STANZA, host.domain, (rooms,), message.pack())


def undeliverable(host: Callable[[], Host]) -> Callable[[str, Frame], None]:
    """Tells the senders of frames that a service was away for too long, or took too little.

    Nobody can be told that a goodbye did not arrive, and whoever misses it believes for ever that
    somebody is there: those are kept until they arrive.
    """

    def refuse_frame(service: str, frame: Frame) -> None:
        log(Event.UNDELIVERABLE, service=Word(service))
        handler = host().registry.frames.get(frame.kind)
        if handler is not None:
            handler(host(), frame)
            return
        sorry = ServiceUnavailable("this part of the server takes no more now", type="wait")
        for one in _unpack(frame):
            if is_goodbye(one):
                say_goodbye(host().bus, service, frame, one)
                continue
            for recipient in frame.recipients:
                refuse(host(), one.replace(to=recipient), sorry)

    return refuse_frame


def is_goodbye(stanza: Stanza) -> bool:
    """Whether it says that somebody is not there any more."""
    return stanza.name == "presence" and stanza.type == "unavailable"


def say_goodbye(bus: Bus, service: str, frame: Frame, goodbye: Stanza) -> None:
    """Send a goodbye that was in a frame so that it arrives, with what a room says in it; what
    people say in theirs may be long, and is left out then."""
    if len(goodbye.inner) > _LONG_GOODBYE:
        goodbye = goodbye.with_children(tuple([c for c in goodbye.children if c.ns == ns.MUC_USER]))
    bus.send_vital(service, STANZA, frame.sender, frame.recipients, goodbye.pack())


def _unpack(frame: Frame) -> list[Stanza]:
    try:
        if frame.kind != STANZAS:
            return [Stanza.unpack(frame.payload)]
        return [
            Stanza(name, attrs, tuple([Child(*one) for one in children]))
            for name, attrs, children in read(frame.payload)
        ]
    except (TypeError, ValueError):
        log(Event.STANZA_REFUSED_BY_BUS)
        return []
