"""What the portal asks c2s when somebody follows an invitation: an account, or another password.

c2s counts newcomers, whichever way they come, before the portal makes keys of their passwords, and
tells everybody who must know.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

ADMIT: Final = "portal.admit"  # kinds of frames: the portal to c2s, first
ASK: Final = "portal.join"  # and then,
TOLD: Final = "portal.joined"  # and back
# Problems besides those of invitations:
IMPERSONATES: Final = "impersonates"  # the name looks like somebody else's
TOO_OFTEN: Final = "too-often"  # too many newcomers of that network
NO_SPACE: Final = "no-space"

Keys = Mapping[str, tuple[bytes, int, bytes, bytes]]


@dataclass(frozen=True)
class Newcomer:
    """Somebody at `address` has a good invitation, and wants to follow it."""

    id: str
    address: str

    def pack(self) -> bytes:
        return json.dumps([self.id, self.address]).encode()

    @classmethod
    def unpack(cls, payload: bytes) -> Self:
        return cls(*json.loads(payload))


@dataclass(frozen=True)
class Join:
    """`local` is the name of the new account, or "" for the password of the account that the
    invitation is for; `keys` are those of the password."""

    id: str
    token: str
    local: str
    keys: Keys
    address: str

    def pack(self) -> bytes:
        keys = {
            hash: [_text(salt), iterations, _text(stored), _text(server)]
            for hash, (salt, iterations, stored, server) in self.keys.items()
        }
        return json.dumps([self.id, self.token, self.local, keys, self.address]).encode()

    @classmethod
    def unpack(cls, payload: bytes) -> Self:
        id, token, local, kept, address = json.loads(payload)
        keys = {
            hash: (b64decode(salt), int(iterations), b64decode(stored), b64decode(server))
            for hash, (salt, iterations, stored, server) in kept.items()
        }
        return cls(id, token, local, keys, address)


@dataclass(frozen=True)
class Outcome:
    """`local` is whose account it is now, "" of somebody who was admitted; `problem` is why not, a
    word, or ""."""

    id: str
    local: str = ""
    problem: str = ""

    def pack(self) -> bytes:
        return json.dumps([self.id, self.local, self.problem]).encode()

    @classmethod
    def unpack(cls, payload: bytes) -> Self:
        return cls(*json.loads(payload))


def _text(data: bytes) -> str:
    return b64encode(data).decode()
