"""Stanzas, and what features say, to and from the other services of the box."""

from collections.abc import Callable

from hausbote.base.compact import read
from hausbote.base.jid import JID
from hausbote.base.log import Event, Word, log
from hausbote.core.bus.cause import Pending
from hausbote.core.bus.frame import STANZA, STANZAS, Frame
from hausbote.core.dispatch import refuse, route
from hausbote.core.host import Host
from hausbote.xmpp import ns
from hausbote.xmpp.errors import ServiceUnavailable, StanzaError
from hausbote.xmpp.stanza import Child, Stanza, child, stanza, start_tag
from hausbote.xmpp.xml import escape_attribute


def from_bus(host: Host, frame: Frame) -> list[Pending]:
    """Handle a frame for this service; returns what must be on disk before it is safe."""
    handler = host.registry.frames.get(frame.kind)
    if handler is not None:
        handler(host, frame)
        return []
    tickets: list[Pending] = []
    for one in _unpack(frame):
        host.handled += 1
        if _is_of_room(host, one):
            tickets += _to_occupants(host, one, frame.recipients)
            continue
        for recipient in frame.recipients:
            copy = one if one.to == recipient else one.replace(to=recipient)
            tickets += route(host, copy)
    return tickets


def _is_of_room(host: Host, stanza: Stanza) -> bool:
    """What rooms say to all their occupants: no feature keeps it, copies it or answers it."""
    if stanza.name == "message":
        return stanza.attrs.get("type") == "groupchat" and not _claims_ours(stanza)
    if stanza.name != "presence" or stanza.attrs.get("type") not in (None, "unavailable"):
        return False
    return JID.parse(stanza.attrs["from"]).domain == host.settings.names.rooms


def _claims_ours(message: Stanza) -> bool:
    """Whether it has what only we may say to our clients, and so must pass what strips that."""
    room = message.attrs["from"].partition("/")[0]
    for part in message.children:
        if part.ns == ns.CARBONS:
            return True
        if part.ns == ns.STANZA_ID and start_tag(part).get("by") != room:
            return True
    return False


def _to_occupants(host: Host, stanza: Stanza, recipients: tuple[str, ...]) -> list[Pending]:
    """The short way of a stanza to many clients: its XML is written once.

    Whoever is not here is left to `route`, which tells the sender.  What a recipient does not want
    is dropped without a word: an error would put them out of the room.
    """
    tickets: list[Pending] = []
    before, after = stanza.around()
    head, tail = before.encode(), after.encode()
    sender = JID.parse(stanza.attrs["from"])
    online, message = host.directory.online, stanza.name == "message"
    for recipient in recipients:
        copy = Stanza(stanza.name, {**stanza.attrs, "to": recipient}, stanza.children, stanza.inner)
        to = JID.parse(recipient)
        account = online(to.local) if to.domain == host.domain else None
        session = None if account is None else account.sessions.get(to.resource)
        if session is None or not session.reachable:
            tickets += route(host, copy)
            continue
        if not _wanted(host, copy, sender, to):
            continue
        data = head + escape_attribute(recipient).encode() + tail
        if not message:
            session.write(data, copy)
        elif not session.deliver(copy, data):
            tickets += route(host, copy)
    return tickets


def _wanted(host: Host, stanza: Stanza, sender: JID, to: JID) -> bool:
    try:
        for screen in host.registry.screens:
            if screen(host, stanza, sender, to, None):
                return False
    except StanzaError:
        return False
    return True


def announce_restart(host: Host) -> None:
    """Tell the rooms that this service was started: none of its clients is there any more."""
    _tell_rooms(host, child(ns.BOX, "restarted"))


def announce_deletion(host: Host, local: str) -> None:
    """Tell the rooms that an account is gone: whoever gets the name next is somebody else."""
    _tell_rooms(host, child(ns.BOX, "deleted", account=local))


def _tell_rooms(host: Host, notice: Child) -> None:
    rooms = host.settings.names.rooms
    if rooms in host.services:
        message = stanza("message", notice, from_=host.domain, to=rooms)
        host.bus.send(host.services[rooms], STANZA, host.domain, (rooms,), message.pack())


def undeliverable(host: Callable[[], Host]) -> Callable[[str, Frame], None]:
    """Tells the senders of frames that a service was away for too long."""

    def refuse_frame(service: str, frame: Frame) -> None:
        log(Event.UNDELIVERABLE, service=Word(service))
        handler = host().registry.frames.get(frame.kind)
        if handler is not None:
            handler(host(), frame)
            return
        sorry = ServiceUnavailable("this part of the server is not running", type="wait")
        for one in _unpack(frame):
            for recipient in frame.recipients:
                refuse(host(), one.replace(to=recipient), sorry)

    return refuse_frame


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
