"""What the portal asks c2s for every login: both count failures together.

c2s knows who has tried too often, so it is asked before the portal looks whether the password is
right, and has the last word afterwards.  The password itself stays with the portal.
"""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final, Self

ASK: Final = "portal.login"  # kinds of frames: the portal to c2s,
TOLD: Final = "portal.verdict"  # and back


@dataclass(frozen=True)
class Attempt:
    """Somebody at `address` claims to be the account `local`, and `proven` is whether the password
    was right, None if nobody has looked yet.  `agent` is the id of a browser that has been logged
    in before, or ""."""

    id: str
    local: str
    address: str
    agent: str
    proven: bool | None

    def pack(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def unpack(cls, payload: bytes) -> Self:
        return cls(**json.loads(payload))


class Verdict(StrEnum):
    """What becomes of an attempt."""

    MAY_TRY = "may-try"  # nobody has looked at the password yet
    IN = "in"
    WRONG = "wrong"
    LOCKED = "locked"  # the owner has locked the account, whose password was right
    TOO_OFTEN = "too-often"


@dataclass(frozen=True)
class Judgement:
    """`wait` are seconds before the person may hear of it."""

    id: str
    verdict: Verdict
    wait: float = 0.0

    def pack(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def unpack(cls, payload: bytes) -> Self:
        told = json.loads(payload)
        return cls(told["id"], Verdict(told["verdict"]), float(told["wait"]))
