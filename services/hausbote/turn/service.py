"""What the turn service does with frames of the bus."""

from collections.abc import Callable, Sequence
from typing import Final

from hausbote.base.log import bug
from hausbote.base.relay import ASK, CHANGED, TOLD, Question
from hausbote.core.bus import Bus
from hausbote.core.bus.cause import Pending
from hausbote.core.bus.frame import Frame
from hausbote.turn.desk import Desk

_WHO_ASKS: Final = "c2s"


def handler(desk: Desk, bus: Callable[[], Bus]) -> Callable[[Frame], Sequence[Pending]]:
    """Answers questions; every other frame is none of this service's business.

    A question that a fault of ours leaves without an answer goes back: somebody waits for it.
    """

    def handle(frame: Frame) -> Sequence[Pending]:
        if frame.kind == ASK:
            try:
                answer = desk.answer(Question.unpack(frame.payload))
            except Exception as fault:  # noqa: BLE001 - a fault of ours is one question's error
                bug(fault)
                bus().send(_WHO_ASKS, ASK, "", (), frame.payload)
            else:
                bus().send(_WHO_ASKS, TOLD, "", (), answer.pack())
        return ()

    return handle


def tell_of_change(bus: Bus) -> None:
    """What people were told before is void."""
    bus.send(_WHO_ASKS, CHANGED, "", (), b"")
