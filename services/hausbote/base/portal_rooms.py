"""What the portal asks the rooms service for the owner of the box: which rooms there are, and to
change or delete one."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final, Self

ASK: Final = "portal.rooms"  # kinds of frames: the portal to rooms,
TOLD: Final = "portal.rooms-told"  # and back
PORTION: Final = 50  # rooms in one answer


class RoomAction(StrEnum):
    """What is asked for."""

    LIST = "list"  # the rooms whose names come after `local`
    SHOW = "show"
    CHANGE = "change"
    DELETE = "delete"


class RoomTrouble(StrEnum):
    """Why it was not done; nothing was changed."""

    NONE = ""
    MISSING = "missing"  # there is no such room
    LOCKED = "locked"  # its owner has not set it up yet, and it cannot be changed before
    CIRCLE = "circle"  # the room is that of a circle, whose owner decides otherwise
    NO_SPACE = "no-space"  # the disk does not take it


@dataclass(frozen=True)
class RoomsQuestion:
    """`reason` is told to those who are in a room that is deleted; `public` and `members_only` are
    what a room shall be, None = as it is."""

    id: str
    act: RoomAction
    local: str = ""
    reason: str = ""
    public: bool | None = None
    members_only: bool | None = None

    def pack(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def unpack(cls, payload: bytes) -> Self:
        asked = json.loads(payload)
        return cls(**asked | {"act": RoomAction(asked["act"])})


@dataclass(frozen=True)
class ShownRoom:
    """`name` is what its owners call it; `members` belong to it, `inside` are clients in it now;
    `size` are bytes of what was said."""

    local: str
    name: str
    description: str
    creator: str
    members: int
    inside: int
    size: int
    public: bool
    members_only: bool
    protected: bool
    locked: bool  # its owner has not set it up yet
    is_circle: bool


@dataclass(frozen=True)
class RoomsTold:
    """`more` is whether other rooms come behind these."""

    id: str
    rooms: tuple[ShownRoom, ...] = ()
    more: bool = False
    trouble: RoomTrouble = RoomTrouble.NONE

    def pack(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def unpack(cls, payload: bytes) -> Self:
        told = json.loads(payload)
        rooms = tuple(ShownRoom(**one) for one in told["rooms"])
        return cls(told["id"], rooms, told["more"], RoomTrouble(told["trouble"]))
