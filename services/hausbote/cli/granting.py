"""What the owner has wished for in the portal, done by `hausbote run` between two starts."""

import re
import shutil
import tempfile
import tomllib
from pathlib import Path
from typing import Any, Final

from hausbote.base.files import replace_text
from hausbote.base.settings import FILE, Settings, SettingsError
from hausbote.base.wishes import Wishes, forget_wishes, read_wishes
from hausbote.cli.certificates import make_certificates
from hausbote.cli.initialise import certificate_addresses, certificate_names
from hausbote.cli.settings_text import toml_value
from hausbote.cli.state import opened_store
from hausbote.net.in_use import in_use

_CERTIFICATES: Final = ("ca.key", "ca.pem", "box.key", "box.pem")


def are_wishes(state: Path) -> bool:
    return read_wishes(state) is not None


def grant(settings: Settings) -> str:
    """Do it, and return a sentence for the screen.  What cannot be is left as it is."""
    state = settings.state
    wishes = read_wishes(state) or Wishes()
    try:
        if wishes.domain and _has_accounts(settings):
            return "The box keeps its domain, because it has accounts already."
        text = _changed((state / FILE).read_text("utf-8"), wishes)
        changed = Settings.from_dict(tomllib.loads(text), state)
        if changed.domain != settings.domain and _shows_its_own(settings):
            _make_certificates(changed)
        replace_text(state / FILE, text)
    except SettingsError as error:
        return "The settings stay as they are: " + " ".join(error.problems)
    finally:
        forget_wishes(state)
    return f"The settings were changed by the portal; this is a box for {changed.domain} now."


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
    """A setting's line, also one behind a #, gets the value; without any, it gets a new line."""
    lines, here, line = text.splitlines(), "", f"{name} = {toml_value(value)}"
    place: int | None = 0 if not section else None
    for number, old in enumerate(lines):
        if found := re.fullmatch(r"\[([a-z_0-9]+)\]", old.strip()):
            here = found[1]
            place = number + 1 if here == section else place
        elif here == section and _sets(old, name):
            lines[number] = line
            return "\n".join(lines) + "\n"
    if place is None:
        return "\n".join([*lines, "", f"[{section}]", line]) + "\n"
    lines.insert(place, line)
    return "\n".join(lines) + "\n"


def _sets(line: str, name: str) -> bool:
    """Whether a line gives that setting a value, or would without its #."""
    key, found, _ = line.removeprefix("#").partition("=")
    return bool(found) and key.rstrip() == name


def _shows_its_own(settings: Settings) -> bool:
    shown = in_use(settings)
    return shown is not None and shown.own


def _make_certificates(settings: Settings) -> None:
    """For the new names, in place of those that nobody has been given yet."""
    directory = settings.state / "certs"
    with tempfile.TemporaryDirectory(dir=directory) as place:
        names: list[Any] = [certificate_names(settings), certificate_addresses(settings)]
        make_certificates(Path(place), *names)
        for name in _CERTIFICATES:
            shutil.move(Path(place, name), directory / name)
