"""Why a login failed."""

from enum import Enum


class Reason(Enum):
    """What the owner of a box is told where the condition says less, or something else."""

    WRONG_PASSWORD = "wrong-password"  # noqa: S105 - or there is no such account: both look alike
    WRONG_TOKEN = "wrong-token"  # noqa: S105
    UNKNOWN_BINDING = "unknown-binding"  # the client binds to what was not offered
    OTHER_CHANNEL = "other-channel"  # the right password, bound to another connection
    DOWNGRADE = "downgrade"  # the client says that it was not offered what it was
    LOCKED = "locked"
    THROTTLED = "throttled"


class SaslError(Exception):
    """`condition` is one of RFC 6120 §6.5; `text` may tell the client's developers more.

    Only a WRONG_PASSWORD is a guess: whatever else fails has tried none.
    """

    def __init__(
        self, condition: str, text: str | None = None, reason: Reason | None = None
    ) -> None:
        super().__init__(condition)
        self.condition = condition
        self.text = text
        self.reason = reason
