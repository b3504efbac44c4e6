"""What waits on disk for other servers, and how it comes back to its senders."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from hausbote.base.jid import JID
from hausbote.base.log import Event, log
from hausbote.core.bus.cause import Cause, Pending
from hausbote.s2s.links import Link, unpacked
from hausbote.s2s.parcel import Parcel
from hausbote.s2s.problem import away
from hausbote.storage import Kept, Outgoing, Returned, Room, Ticket
from hausbote.xmpp.errors import ResourceConstraint, StanzaError
from hausbote.xmpp.soundness import leaves_packed

if TYPE_CHECKING:
    from hausbote.s2s.gate import Gate

_PORTION: Final = 100  # stanzas read from the queue at once
_TOTAL: Final = 8  # how many times what may wait for one server may wait for all


class Queue:
    """Of all links; every sender has a share of it."""

    def __init__(self, gate: "Gate") -> None:
        federation = gate.settings.federation
        self.bounced: set[str] = set()  # frames whose senders are being told
        self._gate = gate
        self._rows = gate.store.outgoing
        self._components = gate.settings.components.by_domain.keys()
        self._patience = federation.queue_days * 86_400
        self._room = Room(
            federation.queue_messages, federation.queue_bytes, federation.queue_bytes * _TOTAL
        )

    def keep(self, link: Link, parcel: Parcel) -> Ticket[Kept]:
        """Into the queue on disk."""
        packed, sender = parcel.stanza.pack(), self.party(parcel)
        return self._rows.keep(
            link.remote, link.local, parcel.id, packed, parcel.at, self._room, sender
        )

    def party(self, parcel: Parcel) -> str:
        """Whose share it takes: a person's, a room's or that of a component, which may have as
        many people as it likes."""
        domain = parcel.sender.rpartition("@")[2]
        return domain if domain in self._components else parcel.sender

    def put_back(self, link: Link, parcels: list[Parcel], after: int) -> Ticket[Kept]:
        """What was under way becomes the beginning of the queue on disk."""
        returned = [
            Returned(p.row, p.id, b"" if p.row else p.stanza.pack(), p.at, self.party(p))
            for p in parcels
        ]
        return self._rows.put_back(link.remote, link.local, returned, after)

    def displace(self, rows: Sequence[Outgoing]) -> None:
        """Others need the room that these take in the queue, unless they are under way."""
        for row in rows:
            if not self.is_lost(row) and not self._is_sent(row):
                self.bounce(row, ResourceConstraint("many messages of yours wait for that server"))

    def _is_sent(self, row: Outgoing) -> bool:
        link = self._gate.links.get(_pair(row))
        return link is not None and link.is_sent(row.id)

    def bounce(self, row: Outgoing, why: StanzaError) -> None:
        """What waited in the queue comes back; it is forgotten when its sender has the error."""

        def refuse() -> tuple[Pending, ...]:
            self._gate.refuse(unpacked(row).stanza, why)
            return ()

        def told() -> None:
            forgotten = self._rows.forget(row.frame)
            forgotten.then(lambda: self.bounced.discard(row.frame))

        if row.frame in self.bounced:
            return
        self.bounced.add(row.frame)
        Cause(f"bounce:{row.frame}", told).run(refuse)

    def expire(self) -> None:
        """What has waited too long goes back to its senders, with the cause."""
        after, given_up = 0, 0
        while rows := self._rows.late(self.oldest, after, _PORTION):
            for row in rows:
                after = row.id
                given_up += not self.is_lost(row) and self.give_up(row)
        if given_up:
            log(Event.QUEUE_GIVEN_UP, messages=given_up)

    def is_lost(self, row: Outgoing) -> bool:
        """Whether it cannot be read any more; then it is forgotten, for nobody knows its sender."""
        if leaves_packed(row.stanza):
            return False
        self._rows.forget(row.frame)
        return True

    @property
    def oldest(self) -> float:
        """What came before that, in seconds since 1970, has waited too long."""
        return self._gate.host.surely() - self._patience

    def give_up(self, row: Outgoing) -> bool:
        """Not what is under way to the peer at last: it would come back, and arrive as well."""
        pair = _pair(row)
        link = self._gate.links.get(pair)
        if row.frame in self.bounced or self._is_sent(row):
            return False
        why = link.problem if link is not None else None
        fault = "could not be reached" if link is None or link.stream is None else "took nothing"
        self.bounce(row, (why or away("too-late", f"{pair[1]} {fault} in time.")).answer())
        return True


def _pair(row: Outgoing) -> tuple[str, str]:
    """The domains of a row: ours and theirs."""
    attrs = unpacked(row).stanza.attrs
    return JID.parse(attrs["from"]).domain, JID.parse(attrs["to"]).domain
