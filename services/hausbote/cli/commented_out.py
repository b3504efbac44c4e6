"""Settings that somebody has changed and left behind a '#', where they do nothing."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any, Final

from hausbote.base.settings import Settings
from hausbote.base.settings_sections import documented

_SECTION: Final = re.compile(r"\[([a-z_0-9]+)\]")
_COMMENT: Final = re.compile(r"#+ ?([a-z_0-9]+) ?= ?(.*)")


def commented_out(text: str, settings: Settings) -> Iterator[str]:
    """A sentence for each comment of hausbote.toml that would set something else than holds."""
    in_force, section = dict(settings.items()), ""
    defaults = {key: option.default for key, option in documented(Settings)}
    given = set(_given(tomllib.loads(text)))
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if found := _SECTION.fullmatch(line):
            section = f"{found[1]}."
        elif found := _COMMENT.fullmatch(line):
            key = section + found[1]
            usual = (in_force.get(key), defaults.get(key))
            if key in in_force and key not in given and _differs(found[2], usual):
                yield (
                    f"{key}: line {number} is a comment, so {found[2]} is not in force:"
                    " take the # away"
                )


def _given(raw: dict[str, Any]) -> Iterator[str]:
    for name, value in raw.items():
        if isinstance(value, dict):
            yield from (f"{name}.{key}" for key in value)
        else:
            yield name


def _differs(written: str, usual: tuple[object, object]) -> bool:
    """False, too, for words that only look like a setting."""
    try:
        said = tomllib.loads(f"value = {written}")["value"]
    except tomllib.TOMLDecodeError:
        return False
    return (tuple(said) if isinstance(said, list) else said) not in usual
