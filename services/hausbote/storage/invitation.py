"""What an invitation is, and why one is refused."""

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final, NamedTuple

MOST_TIMES: Final = 1_000
MOST_DAYS: Final = 365
MOST_NOTE: Final = 200  # characters


class Kind(StrEnum):
    """What an invitation is for."""

    ACCOUNT = "account"
    """An account here."""
    FRIEND = "friend"
    """The inviter's contact: with an account here, or from elsewhere (XEP-0401 §5.1)."""
    CONTACT = "contact"
    """The inviter's contact, with an account that is there already (XEP-0379)."""
    RESET = "reset"
    """Another password for one account."""


class Role(StrEnum):
    """What a new account may do here."""

    MEMBER = "member"
    ADMINISTRATOR = "administrator"


class State(StrEnum):
    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Why(Enum):
    """Why an invitation was refused, in words for whoever came with it or wanted to make it."""

    UNKNOWN = "There is no such invitation."
    USED = "This invitation was used already."
    EXPIRED = "This invitation has expired."
    WITHDRAWN = "This invitation was withdrawn."
    UNFIT = "This invitation is for something else."
    OTHER_NAME = "This invitation is for another name."
    NAME_TAKEN = "This name is taken."
    TOO_MANY = "There are too many invitations; some have to expire first."
    NO_ACCOUNT = "There is no such account."
    NO_CIRCLE = "There is no such circle."


class InvitationRefused(Exception):
    """`why` has the words."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True, slots=True)
class Invitation:
    """Times are in seconds since 1970; `until` is when it expires.

    `inviter` is the local part of the account that made it, or for whom it was made, and becomes
    the contact of whoever follows it; "" is the box's owner.  `name` is the account of RESET, or
    the local part that is reserved for the new account ("" = it can be chosen).  `circles` are
    those that a new account is taken into, by the local parts of their rooms.
    It can be used `times` times and was `used` times.  `id` names it to who looks after it.
    """

    kind: Kind
    until: int
    inviter: str = ""
    name: str = ""
    circles: tuple[str, ...] = ()
    role: Role = Role.MEMBER
    note: str = ""
    times: int = 1
    used: int = 0
    made: int = 0
    withdrawn: bool = False
    id: int = 0

    def state(self, now: float) -> State:
        if self.used >= self.times:
            return State.USED
        if self.withdrawn:
            return State.WITHDRAWN
        return State.OPEN if now < self.until else State.EXPIRED

    @property
    def for_account(self) -> bool:
        """Whether an account can be made with it."""
        return self.kind in (Kind.ACCOUNT, Kind.FRIEND)

    @property
    def for_contact(self) -> bool:
        """Whether it makes somebody the inviter's contact."""
        return self.kind in (Kind.CONTACT, Kind.FRIEND)


class Joined(NamedTuple):
    """What came of an invitation to an account: `changed` are the local parts of people whose
    contacts have changed, besides the new account; `circles` are those that it is in now."""

    local: str
    changed: tuple[str, ...]
    circles: tuple[str, ...]
