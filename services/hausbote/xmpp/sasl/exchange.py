"""What the server's side of a mechanism answers to a message of the client."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Challenge:
    """To be sent as <challenge/>."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Success:
    """To be sent as <success/>; `data` is None if the mechanism has none.

    `local` is who logged in, `agent` the client that this was given to log in with, or "".
    """

    data: bytes | None
    local: str
    agent: str = ""
