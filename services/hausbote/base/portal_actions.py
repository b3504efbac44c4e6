"""What people do in the portal to what c2s keeps in memory, or tells their clients and contacts."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final, Self

ASK: Final = "portal.action"  # kinds of frames: the portal to c2s,
TOLD: Final = "portal.action-done"  # and back


class AccountAction(StrEnum):
    """What is done, and what `value` is."""

    NAME = "name"  # how somebody is called, "" = by nothing but their address
    PICTURE = "picture"  # base64 of a picture, whose type is `more`; "" = none
    BLOCK = "block"  # an address
    UNBLOCK = "unblock"  # an address
    REMOVE_CONTACT = "remove-contact"  # an address
    ARCHIVE = "archive"  # what is archived: always, roster or never


class ActionTrouble(StrEnum):
    """Why it was not done."""

    NONE = ""
    GONE = "gone"  # the account is not there any more, or locked
    MISSING = "missing"  # what it is about is not there
    TOO_MUCH = "too-much"  # it would be more than the account may have
    NO_SPACE = "no-space"  # the disk does not take it


@dataclass(frozen=True)
class ActionRequest:
    """What the account `local` does, which is logged in."""

    id: str
    local: str
    act: AccountAction
    value: str
    more: str = ""

    def pack(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def unpack(cls, payload: bytes) -> Self:
        asked = json.loads(payload)
        return cls(**asked | {"act": AccountAction(asked["act"])})


@dataclass(frozen=True)
class ActionDone:
    id: str
    trouble: ActionTrouble = ActionTrouble.NONE

    def pack(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def unpack(cls, payload: bytes) -> Self:
        told = json.loads(payload)
        return cls(told["id"], ActionTrouble(told["trouble"]))
