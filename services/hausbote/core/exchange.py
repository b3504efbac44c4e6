"""Stanzas, and what features say, to and from the other services of the box."""

from collections.abc import Callable

from hausbote.base.log import Event, Word, log
from hausbote.core.bus.cause import Pending
from hausbote.core.bus.frame import Frame
from hausbote.core.dispatch import refuse, route
from hausbote.core.host import Host
from hausbote.xmpp.errors import ServiceUnavailable
from hausbote.xmpp.stanza import Stanza


def from_bus(host: Host, frame: Frame) -> list[Pending]:
    """Handle a frame for this service; returns what must be on disk before it is safe."""
    handler = host.registry.frames.get(frame.kind)
    if handler is not None:
        handler(host, frame)
        return []
    stanza = _unpack(frame)
    if stanza is None:
        return []
    host.handled += 1
    tickets: list[Pending] = []
    for recipient in frame.recipients:
        copy = stanza if stanza.to == recipient else stanza.replace(to=recipient)
        tickets += route(host, copy)
    return tickets


def undeliverable(host: Callable[[], Host]) -> Callable[[str, Frame], None]:
    """Tells the senders of frames that a service was away for too long."""

    def refuse_frame(service: str, frame: Frame) -> None:
        log(Event.UNDELIVERABLE, service=Word(service))
        handler = host().registry.frames.get(frame.kind)
        if handler is not None:
            handler(host(), frame)
            return
        stanza = _unpack(frame)
        if stanza is not None:
            sorry = ServiceUnavailable("this part of the server is not running", type="wait")
            for recipient in frame.recipients:
                refuse(host(), stanza.replace(to=recipient), sorry)

    return refuse_frame


def _unpack(frame: Frame) -> Stanza | None:
    try:
        return Stanza.unpack(frame.payload)
    except ValueError:
        log(Event.STANZA_REFUSED_BY_BUS)
        return None
