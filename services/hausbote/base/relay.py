"""What services of the box say to each other about the relay for calls: questions and answers.

Both are JSON in frames of the bus; c2s asks, turn answers.
"""

import json
from typing import Any, Final, NamedTuple

ASK: Final = "turn.ask"
TOLD: Final = "turn.told"
CHANGED: Final = "turn.changed"  # what was told before is no longer good


class Question(NamedTuple):
    """Which services may this account use, and how?  Empty `type` and `host`: all of them.

    `unasked` is for answers that nobody asked for, which are not counted.
    """

    id: str
    account: str
    type: str = ""
    host: str = ""
    port: int = 0
    transport: str = ""
    unasked: bool = False

    def pack(self) -> bytes:
        return json.dumps(self).encode()

    @classmethod
    def unpack(cls, data: bytes) -> "Question":
        """ValueError if it is none."""
        return cls(*_list(data))


class Offer(NamedTuple):
    """A service, with credentials if it needs any; `expires` is in seconds since 1970."""

    type: str
    host: str
    port: int
    transport: str
    username: str = ""
    password: str = ""
    expires: int = 0

    @property
    def is_restricted(self) -> bool:
        """Whether it wants credentials (RFC 8656 §5); STUN is for everybody."""
        return self.type in ("turn", "turns")


class Answer(NamedTuple):
    """`offers` is None if the account has asked too often."""

    id: str
    offers: tuple[Offer, ...] | None

    def pack(self) -> bytes:
        return json.dumps(self).encode()

    @classmethod
    def unpack(cls, data: bytes) -> "Answer":
        """ValueError if it is none."""
        id, offers = _list(data)
        return cls(id, None if offers is None else tuple(Offer(*one) for one in offers))


def _list(data: bytes) -> list[Any]:
    found = json.loads(data)
    if not isinstance(found, list):
        raise ValueError("not what one service says to another")
    return found
