"""What the rooms tell the clients' service of a message in a private group, so that those who
belong to the group and are away can be woken.

A frame's payload is three lines of JSON: who belongs to the group, which is the same for many
messages, who speaks to whom, and the message.
"""

from typing import Final, NamedTuple

from hausbote.base.compact import read, write
from hausbote.xmpp.stanza import Stanza

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
    return write(roll)


def unpack_roll(data: bytes) -> Roll:
    return {local: Member(*member) for local, member in read(data).items()}


def pack(roll: bytes, speaker: str, mentioned: list[str], message: Stanza) -> bytes:
    """`roll` is packed already."""
    return b"\n".join((roll, write((speaker, mentioned)), message.pack()))


def split(data: bytes) -> tuple[bytes, Said]:
    """The roll as it is packed, and the rest; ValueError if it is nothing of the kind."""
    roll, head, message = data.split(b"\n")
    try:
        speaker, mentioned = read(head)
    except TypeError as problem:
        raise ValueError("not what rooms say") from problem
    return roll, Said(speaker, mentioned, Stanza.unpack(message))
