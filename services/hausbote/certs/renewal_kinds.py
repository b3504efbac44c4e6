"""How much is done when somebody looks after the certificate, and what can come of it."""

from enum import Enum
from typing import NamedTuple


class Urgency(Enum):
    """How much is done."""

    LOOK = "look"  # what certbot has got already, and what is due by its dates
    USUAL = "usual"  # and certbot asks the authority whether it is time, if it can
    ANEW = "anew"  # a new certificate in any case


class Result(Enum):
    """What came of it."""

    DEPLOYED = "deployed"  # a new certificate is in its place
    KEPT = "kept"  # it is not time yet
    REHEARSED = "rehearsed"  # it works, and the certificate is one that nobody trusts
    FAILED = "failed"
    BUSY = "busy"  # somebody else is at it


class Outcome(NamedTuple):
    result: Result
    sentence: str = ""  # why it failed, or why nothing was done
