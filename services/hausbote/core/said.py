"""What the rooms tell the clients' service of a message in a private group, so that those who
belong to the group and are away can be woken.

A frame's payload is two lines of JSON: who belongs to the group, which is the same for many
messages, and the message.
"""

import json
from typing import Final, NamedTuple

from hausbote.xmpp.stanza import Child, Stanza

KIND: Final = "rooms.said"


class Member(NamedTuple):
    """`inside` are the resources of theirs that are in the room and so hear of the message by
    themselves, `nicks` what they are called there."""

    inside: list[str]
    nicks: list[str]


Roll = dict[str, Member]
"""Members that are the box's own people, by the local parts of their addresses."""


class Said(NamedTuple):
    """`speaker` is the address of whoever said it, `mentioned` are the local parts of members who
    are meant by their ids in the room, or because everybody is."""

    speaker: str
    mentioned: list[str]
    message: Stanza


def pack_roll(roll: Roll) -> bytes:
    return json.dumps(roll, ensure_ascii=False).encode()


def unpack_roll(data: bytes) -> Roll:
    return {local: Member(*member) for local, member in json.loads(data).items()}


def pack(roll: bytes, speaker: str, mentioned: list[str], message: Stanza) -> bytes:
    """`roll` is packed already."""
    head = json.dumps([speaker, mentioned], ensure_ascii=False)[:-1].encode()
    return b"%b\n%b,%b]" % (roll, head, message.pack())


def split(data: bytes) -> tuple[bytes, Said]:
    """The roll as it is packed, and the rest; ValueError if it is nothing of the kind."""
    roll, _, rest = data.partition(b"\n")
    try:
        speaker, mentioned, (name, attrs, children) = json.loads(rest)
        message = Stanza(name, attrs, tuple([Child(*child) for child in children]))
    except TypeError as problem:
        raise ValueError("not what rooms say") from problem
    return roll, Said(speaker, mentioned, message)
