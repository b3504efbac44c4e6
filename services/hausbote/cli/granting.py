"""What the owner has wished for in the portal, done by `hausbote run` between two starts.

The next start renews the box's own certificate, if it has other names now.
"""

import tomllib
from contextlib import suppress
from pathlib import Path

from hausbote.base.files import replace_text
from hausbote.base.settings import FILE, Settings, SettingsError
from hausbote.base.wishes import Wishes, forget_wishes, read_wishes
from hausbote.cli.problem import Problem
from hausbote.cli.settings_text import toml_value
from hausbote.cli.state import opened_store


class _Refused(Exception):
    """Why the settings stay as they are, as a sentence."""


def are_wishes(state: Path) -> bool:
    return read_wishes(state) is not None


def refusal(settings: Settings) -> str:
    """Why the wishes cannot be granted, so that nothing is stopped for them; "" if they can be.

    Those that cannot be are forgotten, if the disk lets them be removed.
    """
    try:
        _granted(settings)
    except _Refused as refused:
        with suppress(OSError):
            forget_wishes(settings.state)
        return str(refused)
    return ""


def grant(settings: Settings) -> str:
    """Do it, and return a sentence for the screen.  What cannot be is left as it is.

    OSError if the wishes cannot be removed: they would be granted again and again.
    """
    try:
        text, changed = _granted(settings)
        replace_text(settings.state / FILE, text)
    except _Refused as refused:
        return str(refused)
    except OSError as error:
        return f"The settings stay as they are: {FILE} cannot be written: {error.strerror}"
    finally:
        forget_wishes(settings.state)
    return f"The settings were changed by the portal; this is a box for {changed.domain} now."


def _granted(settings: Settings) -> tuple[str, Settings]:
    """hausbote.toml with the wishes in it, and what it says then."""
    state = settings.state
    wishes = read_wishes(state) or Wishes()
    try:
        if wishes.domain and _has_accounts(settings):
            raise _Refused("The box keeps its domain, because it has accounts already.")
        text = _changed((state / FILE).read_text("utf-8"), wishes)
        return text, Settings.from_dict(tomllib.loads(text), state)
    except Problem as error:
        why = " ".join(error.sentences)
    except SettingsError as error:
        why = " ".join(error.problems)
    except OSError as error:
        why = f"{FILE} cannot be read: {error.strerror}"
    except ValueError as error:  # as are all that decoding raises
        why = f"{FILE} is not TOML, or would not be: {error}"
    raise _Refused(f"The settings stay as they are: {why}")


def _has_accounts(settings: Settings) -> bool:
    with opened_store(settings) as store:
        return store.accounts.count() > 0


def _changed(text: str, wishes: Wishes) -> str:
    """hausbote.toml with the wishes in it, and all else as its owner has written it."""
    for section, name, value in (
        ("", "domain", wishes.domain),
        ("", "language", wishes.language),
        ("", "registration", wishes.registration),
        ("certificates", "acme", wishes.acme),
    ):
        if value:
            text = _with(text, section, name, value)
    return text


def _with(text: str, section: str, name: str, value: str) -> str:
    """A setting's line gets the value, or else one behind a #; without any, it gets a new line."""
    lines, line = text.splitlines(), f"{name} = {toml_value(value)}"
    here, place, at = "", None if section else 0, None
    for number, old in enumerate(lines):
        if (found := _section(old)) is not None:
            here = found
            place = number + 1 if here == section else place
        elif here == section and _key(old) == name:
            at = number
            break
        elif here == section and at is None and _key(old.removeprefix("#")) == name:
            at = number
    if at is not None:
        lines[at] = line
    elif place is not None:
        lines.insert(place, line)
    else:
        lines += ["", f"[{section}]", line]
    return "\n".join(lines) + "\n"


def _section(line: str) -> str | None:
    """The section that begins with a line, if one does."""
    begin, found, rest = line.strip().partition("]")
    is_one = found and begin.startswith("[") and (not rest or rest.lstrip().startswith("#"))
    return begin[1:].strip() if is_one else None


def _key(line: str) -> str:
    """What a line gives a value to; "" if it does not."""
    key, found, _ = line.partition("=")
    return key.strip() if found else ""
