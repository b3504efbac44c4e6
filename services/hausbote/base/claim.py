"""The claim of a new box: DIR/claim.txt has the address of its portal and a code, which whoever
opens it first has to know.

`hausbote init` makes the file, and it is removed when there is an administrator.  A box without it
cannot be claimed.
"""

import secrets
from pathlib import Path
from typing import Final

from hausbote.base.files import replace_text
from hausbote.base.settings import HTTPS, Settings

FILE: Final = "claim.txt"
PATH: Final = "/claim"
_ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # nothing that looks like something else
_GROUPS, _SIZE = 4, 4  # 80 bits
_LINE: Final = "Code: "
_TEXT: Final = """\
Nobody has claimed this box yet. Whoever opens this address in a browser does, and is its owner:

{url}

Code: {code}

This file goes when the box has an administrator. Show it to nobody.
"""


def make_code() -> str:
    """A new one, in groups that can be read aloud."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_SIZE)) for _ in range(_GROUPS))
    return "-".join(groups)


def tidy_code(typed: str) -> str:
    """A code as somebody types it, in the form that it is kept in; "" if it cannot be one."""
    letters = "".join(typed[:100].split()).replace("-", "").upper()
    if len(letters) != _GROUPS * _SIZE or set(letters) - set(_ALPHABET):
        return ""
    return "-".join(letters[at : at + _SIZE] for at in range(0, len(letters), _SIZE))


def read_code(state: Path) -> str:
    """The code of a box that can be claimed, else ""."""
    try:
        lines = (state / FILE).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    found = [line.removeprefix(_LINE) for line in lines if line.startswith(_LINE)]
    return tidy_code(found[0]) if found else ""


def write_claim(settings: Settings, place: Path, code: str, host: str = "") -> str:
    """Write the file into `place` and return the address with the code in it; OSError."""
    url = f"{portal_at(settings, host)}{PATH}/{code}"
    replace_text(place / FILE, _TEXT.format(url=url, code=code))
    return url


def end_claim(state: Path) -> None:
    """There is an administrator: the code is good for nothing any more."""
    (state / FILE).unlink(missing_ok=True)


def portal_at(settings: Settings, host: str = "") -> str:
    """Where browsers find the portal, by the domain or another name of the machine."""
    port = settings.ports.https if settings.has_front else settings.ports.portal
    name = f"[{host}]" if ":" in host else host
    if not name:
        return settings.portal_url
    return f"https://{name}" + ("" if port == HTTPS else f":{port}")
