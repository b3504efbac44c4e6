"""What the rooms tell the clients' service of a message in a private group, so that those who
belong to the group and are away can be woken."""

import json
from typing import Final, NamedTuple

from hausbote.xmpp.stanza import Child, Stanza

KIND: Final = "rooms.said"

Roll = dict[str, list[str]]


class Said(NamedTuple):
    """`roll` has the accounts of the box that belong to the group, each with those of its resources
    that are in the room and so hear of the message by themselves; `mentioned` are those of them
    that it speaks to, `speaker` is the address of whoever said it."""

    roll: Roll
    mentioned: list[str]
    speaker: str
    message: Stanza

    @classmethod
    def unpack(cls, data: bytes) -> "Said":
        """ValueError if it is nothing of the kind."""
        try:
            roll, mentioned, speaker, (name, attrs, children) = json.loads(data)
            message = Stanza(name, attrs, tuple([Child(*child) for child in children]))
        except TypeError as problem:
            raise ValueError("not what rooms say") from problem
        return cls(roll, mentioned, speaker, message)


def pack_roll(roll: Roll) -> bytes:
    """As it is the same for many messages."""
    return json.dumps(roll, ensure_ascii=False).encode()


def pack(roll: bytes, mentioned: list[str], speaker: str, message: bytes) -> bytes:
    """`roll` and `message` are packed already."""
    middle = json.dumps([mentioned, speaker], ensure_ascii=False)[1:-1].encode()
    return b"[%b,%b,%b]" % (roll, middle, message)
