"""One thing that `hausbote check` has looked at."""

from enum import Enum
from typing import NamedTuple


class Mark(Enum):
    """How a thing is; only BAD keeps something from working."""

    GOOD = "good"
    HINT = "hint"
    BAD = "bad"


class Finding(NamedTuple):
    """One line: what was looked at, what was seen, and what to change."""

    mark: Mark
    subject: str
    told: str
    change: str = ""
