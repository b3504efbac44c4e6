"""What is wrong with the storage of a box, as one process tells another: JSON."""

import json
from collections.abc import Iterable
from typing import Final, NamedTuple

READ_ONLY: Final = "file-system:read-only"  # the key of that trouble: nothing can be kept


class Trouble(NamedTuple):
    """Something that the box's owner should know of before it hurts.

    `key` names it from look to look; `level` is 1 or more, and higher when it is worse.  `told` is
    the sentence for it, `over` the one for when it is over.  If it is told `elsewhere`, by a part
    of the box that knows at once, nobody needs to hear it from here.
    """

    key: str
    level: int
    told: str
    over: str
    elsewhere: bool = False


def to_json(troubles: Iterable[Trouble]) -> list[dict[str, object]]:
    """What `from_json` reads."""
    return [one._asdict() for one in troubles]


def from_json(raw: object) -> list[Trouble]:
    """ValueError if these are none."""
    if not isinstance(raw, list):
        raise ValueError("no list of troubles")
    return [_trouble(one) for one in raw]


def from_text(text: str | bytes) -> list[Trouble]:
    """Likewise, of JSON as text."""
    return from_json(json.loads(text))


def _trouble(raw: object) -> Trouble:
    if not isinstance(raw, dict):
        raise ValueError("no trouble")
    try:
        key, level, told, over = raw["key"], raw["level"], raw["told"], raw["over"]
    except KeyError as missing:
        raise ValueError(f"a trouble without {missing}") from None
    texts = all(isinstance(one, str) for one in (key, told, over))
    if not texts or not isinstance(level, int):
        raise ValueError("no trouble")
    return Trouble(key, level, told, over, raw.get("elsewhere") is True)
