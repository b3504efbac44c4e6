"""What the portal asks c2s to tell everybody on the box."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final, Self

ASK: Final = "portal.notice"  # kinds of frames: the portal to c2s,
TOLD: Final = "portal.notice-told"  # and back


class NoticeAction(StrEnum):
    """What is asked for."""

    NOW = "now"  # tell those who are here
    ALL = "all"  # tell everybody once: those who are here, the others when they come
    TAKE_BACK = "take-back"  # tell it nobody else


@dataclass(frozen=True)
class Notice:
    id: str
    act: NoticeAction
    text: str = ""

    def pack(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def unpack(cls, payload: bytes) -> Self:
        asked = json.loads(payload)
        return cls(asked["id"], NoticeAction(asked["act"]), asked["text"])


@dataclass(frozen=True)
class NoticeDone:
    """`done` is False if the disk did not take it; nobody was told then."""

    id: str
    done: bool

    def pack(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def unpack(cls, payload: bytes) -> Self:
        return cls(**json.loads(payload))
