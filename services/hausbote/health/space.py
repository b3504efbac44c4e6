"""How long the room on the disk will last, by a note of each day.

What may not be taken is the reserve's (`storage/reserve.py`); here is only how fast the rest goes.
"""

from itertools import combinations
from statistics import median
from typing import Final

from hausbote.base.troubles import Trouble
from hausbote.health.part import Part, counted

DAY: Final = 86_400  # seconds
_KEPT: Final = 30  # days
_ENOUGH: Final = 5  # days between the first and the last, before anything is said
_SOON: Final = 14.0  # days until it is full, ...
_VERY_SOON: Final = 3.0
_CALM: Final = 21.0  # ... and how many it must be again
_MB: Final = 1_048_576

Days = tuple[tuple[int, int], ...]  # (day since 1970, bytes that may still be taken then)
KEY: Final = "space"


def noted(days: Days, now: float, room: int) -> Days:
    """With a note of today, the first one of each day; days of the future are of a wrong clock."""
    today = int(now // DAY)
    past = tuple(one for one in days if today - _KEPT < one[0] <= today)
    return past if past and past[-1][0] == today else (*past, (today, room))


def days_left(days: Days, room: int) -> float | None:
    """Until nothing is left; None if it does not become less, or that is not known yet."""
    pace = _pace(days)
    return None if pace is None or pace <= 0 else max(room, 0) / pace


def _pace(days: Days) -> float | None:
    """Bytes that go per day: the median of all pairs of days, so that one day alone, when somebody
    copied a film, does not count for much (Theil and Sen)."""
    if not days or days[-1][0] - days[0][0] < _ENOUGH:
        return None
    return median((one[1] - other[1]) / (other[0] - one[0]) for one, other in combinations(days, 2))


def look_at_space(days: Days, room: int, *, is_low: bool, was_told: bool) -> Part:
    """`room` is what may still be taken; `was_told` is whether there was trouble at the last look.

    That the disk is full is told by others, at once.
    """
    over = "The disk of this server will not be full so soon any more."
    left = days_left(days, room)
    if is_low:
        full = "The disk of this server is full but for its reserve."
        troubles = [Trouble(KEY, 3, full, over, elsewhere=True)]
    elif left is not None and left <= (_CALM if was_told else _SOON):
        when = counted(round(left), "day") if left >= 1 else "less than a day"
        troubles = [
            Trouble(
                KEY,
                2 if left <= _VERY_SOON else 1,
                f"At this pace the disk of this server is full in {when}: 'hausbote usage' tells"
                " what fills it, 'hausbote purge' makes room.",
                over,
            )
        ]
    else:
        troubles = []
    return Part("room", _told(days, room, left), tuple(troubles))


def _told(days: Days, room: int, left: float | None) -> str:
    told = f"{room // _MB} MB are left before anything is refused"
    if left is not None:
        return f"{told}; at this pace they last {counted(round(left), 'day')}"
    if _pace(days) is None:
        return f"{told}; how long they last is known in some days"
    return f"{told}, and it does not become less"
