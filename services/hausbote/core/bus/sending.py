"""The sending end of a bus: what its forms have in common."""

from collections.abc import Sequence
from typing import Any

from hausbote.core.bus.cause import FrameIds
from hausbote.core.bus.easing import BulkRoom, ease
from hausbote.core.bus.frame import Content, Frame, encoded_size
from hausbote.core.bus.outbox import Kind, Outbox


class Way:
    """To one other service: what waits for it, and `work` to be set when there is more."""

    def __init__(self, outbox: Outbox, bulk: BulkRoom, work: Any) -> None:
        self.outbox = outbox
        self.bulk = bulk
        self.work = work


class Sending:
    """The methods of `Bus` that send; `_way` finds or makes the way to a service."""

    def __init__(self) -> None:
        self._ids = FrameIds()

    def _way(self, service: str) -> Way:
        raise NotImplementedError

    def send(
        self,
        service: str,
        kind: str,
        sender: str,
        recipients: Sequence[str],
        payload: bytes,
        *,
        account: str | None = None,
    ) -> None:
        if account is None:
            account = sender.partition("/")[0]
        self._add(service, Kind.ORDINARY, (kind, sender, tuple(recipients), payload), account)

    def send_bulky(
        self, service: str, kind: str, sender: str, recipients: Sequence[str], payload: bytes
    ) -> bool:
        content = (kind, sender, tuple(recipients), payload)
        if not self._way(service).bulk.wait(encoded_size(content)):
            return False
        return self._add(service, Kind.BULKY, content)

    def send_vital(
        self, service: str, kind: str, sender: str, recipients: Sequence[str], payload: bytes
    ) -> bool:
        return self._add(service, Kind.VITAL, (kind, sender, tuple(recipients), payload))

    def ease(self, service: str, account: str) -> bool:
        return ease(self._way(service).outbox, account)

    def _add(self, service: str, kind: Kind, content: Content, account: str = "") -> bool:
        id, cause = self._ids.next(service, *content)
        way = self._way(service)
        kept = way.outbox.add(Frame(id, *content), cause, account, kind)
        way.work.set()
        return kept
