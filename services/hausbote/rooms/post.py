"""Sending from rooms: one frame of the bus names many recipients and carries one payload."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from zlib import crc32

from hausbote.base.jid import JID
from hausbote.core.bulk import way_to
from hausbote.core.bus.cause import purpose
from hausbote.core.bus.frame import STANZA, STANZAS
from hausbote.core.dispatch import route
from hausbote.core.host import Host
from hausbote.xmpp.errors import ResourceConstraint
from hausbote.xmpp.stanza import Stanza

_MAX_RECIPIENTS: Final = 500  # of one frame, so that whoever takes it is never busy for long
_MAX_ELSEWHERE: Final = 100  # the same for s2s, to which each costs more
_MAX_BATCH: Final = 500  # stanzas in one frame
_BATCH_BYTES: Final = 262_144  # of the stanzas in one frame, if it is not a single one


def post(host: Host, stanza: Stanza, recipients: Iterable[JID], name: str = "") -> None:
    """Send a stanza without a to address to all of them; it waits as `post_each` does.

    With a `name` it is that for everybody who is in the room: if what brought it is handled again
    after a crash, nobody gets it twice, though others be there then and the stanza be another.
    """
    post_each(host, ((stanza, recipients),), name)


def post_each(host: Host, stanzas: Iterable[tuple[Stanza, Iterable[JID]]], name: str = "") -> None:
    """Send stanzas without a to address to their recipients.

    It may wait, but only when all are on their way: what was changed before, and is told by them,
    is one step for everybody else.
    """
    ways: dict[tuple[str, str], None] = {}
    for stanza, recipients in stanzas:
        for service in _send(host, stanza, recipients, name):
            ways[service, stanza.attrs["from"].partition("/")[0]] = None
    for service, room in ways:
        host.bus.ease(service, room)


def _send(host: Host, stanza: Stanza, recipients: Iterable[JID], name: str) -> Iterable[str]:
    """Returns the services by which they are reached."""
    by_service: dict[str, list[str]] = {}
    for jid in recipients:
        service = way_to(host, jid)
        if service is None:
            with purpose(f"{name}/{jid.full}" if name else ""):
                route(host, stanza.replace(to=jid.full))
        else:
            by_service.setdefault(service, []).append(jid.full)
    if not by_service:
        return ()
    payload, sender = stanza.pack(), stanza.attrs["from"]
    for service, chosen in by_service.items():
        most = _MAX_ELSEWHERE if service == host.beyond else _MAX_RECIPIENTS
        for part, some in _parted(chosen, name, most):
            with purpose(part):
                host.bus.send(service, STANZA, sender, some, payload)
    return by_service


def _parted(chosen: list[str], name: str, most: int) -> Iterator[tuple[str, list[str]]]:
    """The recipients of each frame, of which there are about `most`, and what that is for.

    Whoever comes or goes must not move others into another frame, so these are made by a hash.
    """
    if len(chosen) <= most:
        yield name, chosen
    elif not name:
        for start in range(0, len(chosen), most):
            yield "", chosen[start : start + most]
    else:
        count = 1 << (len(chosen) // most).bit_length()
        parts: list[list[str]] = [[] for _ in range(count)]
        for one in chosen:
            parts[crc32(one.encode()) % count].append(one)
        for number, some in enumerate(parts):
            if some:
                yield f"{name}/{number}/{count}", some


def post_all(host: Host, sender: str, packed: Sequence[bytes], recipient: JID) -> None:
    """Send several packed stanzas without a to address to one recipient, in this order.

    They are what somebody gets who enters, so they count for that person, or for their server.
    """
    service = way_to(host, recipient)
    if service is None:
        for one in packed:
            route(host, Stanza.unpack(one).replace(to=recipient.full))
        return
    account = recipient.bare if recipient.domain == host.settings.domain else recipient.domain
    kind, payloads = _frames(host, service, packed)
    for payload in payloads:
        host.bus.send(service, kind, sender, (recipient.full,), payload, account=account)
        host.bus.ease(service, account)


def post_bulky(
    host: Host, service: str, sender: str, packed: Sequence[bytes], recipient: JID
) -> None:
    """Send a part of a long answer to one recipient; ResourceConstraint if no room came for it.

    It waits for that, so nobody else's stanzas may have to wait for the caller.
    """
    kind, payloads = _frames(host, service, packed)
    for payload in payloads:
        if not host.bus.send_bulky(service, kind, sender, (recipient.full,), payload):
            raise ResourceConstraint("the answer is too long just now")


def need_room(host: Host, room: JID) -> None:
    """ResourceConstraint if so much of what a room said waits that it should say no more now.

    What is said then reaches everybody: see `Outbox.is_busy`.
    """
    for service in (host.services.get(host.settings.domain), host.beyond):
        if service and not host.bus.ease(service, room.full):
            raise ResourceConstraint("more is said in this room than can be sent just now")


def _frames(host: Host, service: str, packed: Sequence[bytes]) -> tuple[str, Iterable[bytes]]:
    """What frames for that service carry: their kind, and their payloads."""
    if service == host.beyond:  # where every stanza goes its own way
        return STANZA, packed
    return STANZAS, [b"[" + b",".join(some) + b"]" for some in _batches(packed)]


def _batches(packed: Sequence[bytes]) -> Iterator[list[bytes]]:
    some: list[bytes] = []
    size = 0
    for one in packed:
        if some and (len(some) >= _MAX_BATCH or size + len(one) > _BATCH_BYTES):
            yield some
            some, size = [], 0
        some.append(one)
        size += len(one)
    if some:
        yield some
