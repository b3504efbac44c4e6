"""Who asks for a page, and whom each page is for."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from werkzeug.wrappers import Response


class Who(Enum):
    """Everybody is one of these at a time."""

    CLAIMING = "somebody at a box that nobody has claimed"
    NOBODY = "somebody who is not logged in"
    MEMBER = "a member"
    ADMINISTRATOR = "an administrator"


ANYBODY: Final = frozenset(Who)
CLAIMING: Final = frozenset((Who.CLAIMING,))
CLAIMED: Final = frozenset((Who.NOBODY, Who.MEMBER, Who.ADMINISTRATOR))
STRANGERS: Final = frozenset((Who.NOBODY,))
PEOPLE: Final = frozenset((Who.MEMBER, Who.ADMINISTRATOR))
OWNERS: Final = frozenset((Who.ADMINISTRATOR,))

View = Callable[..., "Response"]


@dataclass(frozen=True)
class Route:
    """A path with <parts>, each without a slash; what shows it (GET) and what it does (POST), None
    if it has no such thing; and whom it is for.  Whoever is not among them is turned away before
    anything of the request is looked into."""

    path: str
    who: frozenset[Who]
    get: View | None = None
    post: View | None = None

    @property
    def pattern(self) -> re.Pattern[str]:
        """What its paths look like."""
        parts = [
            f"(?P{one}[^/]{{1,1023}})" if one.startswith("<") else one.replace(".", r"\.")
            for one in self.path.split("/")
        ]
        return re.compile("/".join(parts))
