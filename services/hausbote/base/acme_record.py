"""How it stands with the certificate that the box asks an authority for: certs/acme.json.

The one who asks writes it, `hausbote status`, the screen of `hausbote run` and the messages to
administrators read it.  It outlives restarts, so that a box that starts again and again does not
ask again and again.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from hausbote.base.files import replace_text

FIRST_PAUSE: Final = 900.0  # seconds after the first failure, ...
LONGEST_PAUSE: Final = 43_200.0  # ... doubled with each further one; and between ordinary looks
_PLAUSIBLE: Final = 691_200.0  # seconds: an authority's limits last a week at most


@dataclass(frozen=True)
class AcmeRecord:
    """Times are seconds since 1970, 0 = never."""

    tried: float = 0.0  # when the authority was asked last
    next: float = 0.0  # when it is time again
    failures: int = 0  # since the last success
    problem: str = ""  # why it failed, a sentence for the owner
    not_before: float = 0.0  # until then the authority itself wants to hear nothing
    rehearsed: float = 0.0  # when a rehearsal went well that has not been followed by more
    account: str = ""  # URL of the account at the authority (RFC 8657: accounturi)
    issuers: tuple[str, ...] = ()  # names of the authority in CAA records

    def is_due(self, now: float) -> bool:
        """A time that is further away than any pause comes from a wrong clock, and counts not."""
        return not now < self.next <= now + _PLAUSIBLE

    def is_barred(self, now: float) -> bool:
        """Whether the authority has said that it is too early."""
        return now < self.not_before <= now + _PLAUSIBLE


def read_record(path: Path) -> AcmeRecord:
    """An empty one if there is none, or none that can be read."""
    try:
        raw = json.loads(path.read_text("utf-8"))
        return AcmeRecord(
            tried=float(raw["tried"]),
            next=float(raw["next"]),
            failures=int(raw["failures"]),
            problem=str(raw["problem"]),
            not_before=float(raw["not_before"]),
            rehearsed=float(raw["rehearsed"]),
            account=str(raw["account"]),
            issuers=tuple(str(name) for name in raw["issuers"]),
        )
    except (OSError, ValueError, TypeError, KeyError):
        return AcmeRecord()


def write_record(path: Path, record: AcmeRecord) -> None:
    """In one step; OSError if the disk does not take it."""
    replace_text(path, json.dumps(asdict(record), indent=2) + "\n")


def pause_after(failures: int, lot: float) -> float:
    """Seconds until the next try; `lot` from 0 to 1 spreads the boxes of the world."""
    pause = min(FIRST_PAUSE * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE)
    return pause * (0.9 + 0.2 * lot)
