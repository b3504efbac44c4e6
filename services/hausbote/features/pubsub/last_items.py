"""The last items of nodes, for those who come (XEP-0163 §4.3.4): in portions.

A presence of a hundred bytes can ask for megabytes.  A client here gets the next portion when it
has taken the last one, and no account's contact elsewhere gets more than so much in a minute.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final

from hausbote.base.jid import JID
from hausbote.core.dispatch import route
from hausbote.core.host import Host, breathe
from hausbote.core.pump import Lane
from hausbote.core.session import Session
from hausbote.features.contacts import is_subscribed
from hausbote.features.pubsub.access import may_retrieve
from hausbote.features.pubsub.notify import last_item, sends_last
from hausbote.features.pubsub.service import Service
from hausbote.xmpp.stanza import Stanza

_PORTION: Final = 65_536  # bytes that a client is sent together
_AROUND: Final = 512  # bytes that an item costs besides its payload
_PEOPLE: Final = 50  # whose nodes are looked up at once
_ELSEWHERE: Final = 262_144  # bytes for a contact on another server, each minute
_MINUTE: Final = 60.0


class _Coming:
    """What one client is still to get."""

    __slots__ = ("lane", "nodes", "under_way", "wanted")

    def __init__(self) -> None:
        self.wanted: dict[str, list[str]] = {}  # names of nodes by the local part of their owner
        self.nodes: list[tuple[int, int]] = []  # ids, and sizes of their last items
        self.under_way = False
        self.lane = Lane(_call)  # what this costs is charged to the client

    def forget(self) -> None:
        self.wanted.clear()
        self.nodes.clear()


class _Told:
    """Bytes for contacts elsewhere by bare JID, since when on this service's clock."""

    __slots__ = ("since", "sizes")

    def __init__(self) -> None:
        self.since = 0.0
        self.sizes: dict[str, int] = {}


def send_last(host: Host, session: Session, people: Sequence[str], names: list[str]) -> None:
    """The last items of these people's nodes with these names, as fast as the client takes them."""
    coming = session.state(_Coming)
    for local in people if names else ():
        coming.wanted[local] = sorted({*coming.wanted.get(local, ()), *names})
    if not coming.under_way:
        _go_on(host, session, coming)


def forget(session: Session) -> None:
    """It is not available any more."""
    session.state(_Coming).forget()


def _go_on(host: Host, session: Session, coming: _Coming) -> None:
    coming.under_way = True
    nodes = _next_nodes(host, coming)
    if session.gone or session.presence is None:  # since we looked
        coming.forget()
        nodes = []
    for stanza in _stanzas(host, nodes, session.jid):
        session.send(stanza)
    if not (coming.wanted or coming.nodes):
        coming.under_way = False
        return
    _wait(host, session, coming)


def _wait(host: Host, session: Session, coming: _Coming) -> None:
    """Go on when the last portion was taken."""

    def taken(_arrived: bool) -> None:
        host.pump.post(coming.lane, partial(_go_on, host, session, coming))

    session.when_taken(taken)


def pack(session: Session) -> list[Any] | None:
    """What a session is still to get, over a restart; None for nothing."""
    coming = session.state(_Coming)
    if not (coming.wanted or coming.nodes):
        return None
    people: dict[tuple[str, ...], list[str]] = {}
    for local, names in coming.wanted.items():
        people.setdefault(tuple(names), []).append(local)
    return [list(people.items()), coming.nodes]


def unpack(host: Host, session: Session, packed: list[Any]) -> None:
    """Go on with what `pack` has kept."""
    coming = session.state(_Coming)
    wanted, nodes = packed
    coming.wanted = {local: names for names, people in wanted for local in people}
    coming.nodes = [(node, size) for node, size in nodes]
    coming.under_way = True
    _wait(host, session, coming)


def _next_nodes(host: Host, coming: _Coming) -> list[int]:
    """As many as make a portion.  Others have their turn in between."""
    while coming.wanted and not coming.nodes:
        names = next(iter(coming.wanted.values()))
        alike = (local for local, wanted in coming.wanted.items() if wanted == names)
        people = list(islice(alike, _PEOPLE))
        for local in people:
            del coming.wanted[local]
        coming.nodes = host.store.pubsub.last_sizes(people, names)
        breathe()
    chosen: list[int] = []
    size = 0
    while coming.nodes and size < _PORTION:
        node, bytes_of_item = coming.nodes.pop()
        chosen.append(node)
        size += bytes_of_item + _AROUND
    return chosen


def send_last_elsewhere(host: Host, local: str, who: JID, names: list[str]) -> None:
    """The same for a client of another server: the small ones first, the largest it can fetch."""
    if not names:
        return
    told = host.directory.account(local).state(_Told)
    if host.clock() - told.since > _MINUTE:
        told.since, told.sizes = host.clock(), {}
    for node, size in sorted(host.store.pubsub.last_sizes([local], names), key=_size):
        sent = told.sizes.get(who.bare, 0) + size + _AROUND
        if sent > _ELSEWHERE:
            break
        told.sizes[who.bare] = sent
        for stanza in _stanzas(host, [node], who):
            route(host, stanza)
        breathe()


def _size(node: tuple[int, int]) -> int:
    return node[1]


def _stanzas(host: Host, nodes: list[int], who: JID) -> Iterator[Stanza]:
    """As things are now: what was looked up earlier may be gone, and who was let in may not be."""
    for node, item in host.store.pubsub.last_in(nodes) if nodes else ():
        service = Service(host, node.service)
        config = service.config(node)
        if service.apart(who) or not sends_last(config, "on_sub_and_presence"):
            continue
        if config.expiry and item.at < host.surely() - config.expiry:
            continue
        if is_subscribed(host, node.service, who) and may_retrieve(service, node, who):
            yield last_item(service, node, item, who.full)


def _call(job: Callable[[], None]) -> None:
    job()
