"""Administrators hear what is wrong with the storage: once, again when it is worse or after a
month, and when it is over.

What they were told is in a file, so that a service that is started again does not repeat it.
"""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from hausbote.base.files import replace_text
from hausbote.base.log import Event, Word, log
from hausbote.base.troubles import READ_ONLY, Trouble
from hausbote.core.host import Host
from hausbote.features.news import tell_administrators

_FILE: Final = "told.json"  # in DIR/health
_DAY: Final = 86_400.0  # seconds: what has been away for less may come back
_MONTH: Final = 30 * _DAY


@dataclass
class _Known:
    """A trouble that administrators were told of; times are in seconds since 1970, and `gone` is 0
    while it is there."""

    level: int
    at: float
    over: str
    gone: float = 0.0


class _Told:
    """By their keys; None if the file was not read yet."""

    def __init__(self) -> None:
        self.known: dict[str, _Known] | None = None


def tell(host: Host, troubles: list[Trouble]) -> None:
    """Tell what is new of these, which are all that there are; may wait."""
    told, path = host.state(_Told), host.settings.health_dir / _FILE
    if told.known is None:
        told.known = _read(path)
    known, now = told.known, host.clock()
    # A message that is to wait for somebody must be kept, which may be what cannot be done.
    can_keep = not host.store.failed_at and not host.store.reserve.is_low
    can_keep = can_keep and all(one.key != READ_ONLY for one in troubles)
    said = [one.told for one in troubles if _is_news(known, one, now, _MONTH if can_keep else _DAY)]
    said += _over(known, {one.key for one in troubles}, now)
    # First it is noted: saying it may take a while, and a restart meanwhile repeats nothing.
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, exist_ok=True)
        replace_text(path, json.dumps({key: asdict(one) for key, one in known.items()}) + "\n")
    if said:
        tell_administrators(host, "normal" if can_keep else "headline", "\n".join(said))


def _is_news(known: dict[str, _Known], trouble: Trouble, now: float, pause: float) -> bool:
    before = known.get(trouble.key)
    if before is not None:
        before.gone = 0.0
        is_worse = trouble.level > before.level
        if not is_worse and (trouble.elsewhere or 0 <= now - before.at < pause):
            return False
    known[trouble.key] = _Known(trouble.level, now, trouble.over)
    log(Event.STORAGE_TROUBLE, what=Word(_word(trouble.key)), level=trouble.level)
    return not trouble.elsewhere


def _over(known: dict[str, _Known], there: set[str], now: float) -> list[str]:
    """Sentences for what has been away for a day."""
    said = []
    for key, one in list(known.items()):
        if key in there:
            continue
        if not one.gone:
            one.gone = now
        elif not 0 <= now - one.gone < _DAY:
            del known[key]
            log(Event.STORAGE_WELL, what=Word(_word(key)))
            said.append(one.over)
    return said


def _word(key: str) -> str:
    """What the log may say of a key: the kind of trouble, without the names of disks."""
    first, _, rest = key.partition(":")
    return f"{first}:{rest.rpartition(':')[2]}" if rest else first


def _read(path: Path) -> dict[str, _Known]:
    """What is in the file; nothing if that cannot be read."""
    try:
        raw = json.loads(path.read_text("utf-8"))
        return {str(key): _known(one) for key, one in raw.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _known(raw: dict[str, Any]) -> _Known:
    level, at, gone = int(raw["level"]), float(raw["at"]), float(raw["gone"])
    return _Known(level, at, str(raw["over"]), gone)
