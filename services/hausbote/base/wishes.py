"""What the portal wants changed in hausbote.toml: DIR/wishes.json.

The portal itself writes no settings.  `hausbote run` looks for wishes, does what may be done (see
`cli/granting.py`) and starts the services anew.  Where each service has a container of its own, the
owner changes settings by hand.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from hausbote.base.files import replace_text

FILE: Final = "wishes.json"


@dataclass(frozen=True)
class Wishes:
    """ "" leaves a setting as it is."""

    domain: str = ""
    language: str = ""
    registration: str = ""
    acme: str = ""  # certificates.acme

    def __bool__(self) -> bool:
        return any(asdict(self).values())


def read_wishes(state: Path) -> Wishes | None:
    """None if there are none; empty ones if they cannot be read."""
    try:
        found = json.loads((state / FILE).read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return Wishes()
    if not isinstance(found, dict):
        return Wishes()
    return Wishes(**{name: str(found.get(name, "")) for name in asdict(Wishes())})


def write_wishes(state: Path, wishes: Wishes) -> None:
    """OSError if the disk does not take it."""
    replace_text(state / FILE, json.dumps(asdict(wishes)) + "\n")


def forget_wishes(state: Path) -> None:
    (state / FILE).unlink(missing_ok=True)
