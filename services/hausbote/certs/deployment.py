"""A new certificate and its key take the place of the last ones, both at the same moment.

Services read two files, so the two must change together: both are links into `current`, and
`current` is a link that one rename(2) replaces (`certs/places.py`).  A directory that it led to is
not written again, and the last one stays, for whoever has just looked where the links lead.
`CertificateFiles.settled` is the other half of this.

A kill at any point leaves the old pair or the new one; what is left over goes next time.
"""

import hashlib
import os
import shutil
from pathlib import Path
from typing import Final

from hausbote.base.files import sync_directory, write_private

_PAIRS: Final = "pairs"
_CURRENT: Final = "current"
_OWN: Final = "own-"  # what the box had before: it stays, for an owner who wants to go back
_UNFINISHED: Final = ".part"
_LINKS: Final = {"box.pem": "chain.pem", "box.key": "key.pem"}


def deploy(certs: Path, chain: bytes, key: bytes) -> None:
    """Make this pair what box.pem and box.key in `certs` lead to; OSError if the disk refuses."""
    _link_first_pair(certs)
    before = _current(certs)
    name = _store(certs, "", chain, key)
    _point(certs / _CURRENT, f"{_PAIRS}/{name}")
    for link, file in _LINKS.items():  # where there was no pair at all
        _point(certs / link, f"{_CURRENT}/{file}")
    _forget_others(certs, {name, before})


def deployed(certs: Path) -> tuple[bytes, bytes] | None:
    """The pair that services read now, None if there is none or only a part."""
    try:
        return (certs / "box.pem").read_bytes(), (certs / "box.key").read_bytes()
    except FileNotFoundError:
        return None


def _link_first_pair(certs: Path) -> None:
    """Files become links to a copy of what is in them: whichever is a link already, the two are
    the same pair as before."""
    if all(_leads(certs / link, f"{_CURRENT}/{file}") for link, file in _LINKS.items()):
        return
    pair = deployed(certs)
    if pair is None:
        return
    name = _store(certs, _OWN, *pair)
    if _current(certs) is None or not any(_leads_in(certs / link) for link in _LINKS):
        _point(certs / _CURRENT, f"{_PAIRS}/{name}")
    for link, file in _LINKS.items():
        _point(certs / link, f"{_CURRENT}/{file}")


def _store(certs: Path, prefix: str, chain: bytes, key: bytes) -> str:
    """Put a pair into a directory of its own, whole or not at all; returns its name."""
    name = prefix + hashlib.sha256(chain + key).hexdigest()[:16]
    place = certs / _PAIRS / name
    if place.exists():
        return name
    place.parent.mkdir(mode=0o700, exist_ok=True)
    unfinished = place.with_name(name + _UNFINISHED)
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    write_private(unfinished / "chain.pem", chain, durable=True)
    write_private(unfinished / "key.pem", key, durable=True)
    sync_directory(unfinished)
    unfinished.rename(place)
    sync_directory(place.parent)
    return name


def _point(link: Path, target: str) -> None:
    """Make it a link to there, in one step."""
    if _leads(link, target):
        return
    unfinished = link.with_name(link.name + _UNFINISHED)
    unfinished.unlink(missing_ok=True)
    unfinished.symlink_to(target)
    unfinished.rename(link)
    sync_directory(link.parent)


def _leads(link: Path, target: str) -> bool:
    return link.is_symlink() and os.readlink(link) == target


def _leads_in(link: Path) -> bool:
    return link.is_symlink() and os.readlink(link).startswith(f"{_CURRENT}/")


def _current(certs: Path) -> str | None:
    link = certs / _CURRENT
    return Path(os.readlink(link)).name if link.is_symlink() else None


def _forget_others(certs: Path, kept: set[str | None]) -> None:
    for one in (certs / _PAIRS).iterdir():
        if one.name not in kept and (
            one.name.endswith(_UNFINISHED) or not one.name.startswith(_OWN)
        ):
            shutil.rmtree(one, ignore_errors=True)
