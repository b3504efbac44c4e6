"""Names that people take for each other (Unicode UTS #39 §4).

Two names look alike if their skeletons are the same.  The data is Unicode's confusables.txt as the
package confusable-homoglyphs has it.  It is loaded with the first name that is not plain ASCII, and
only what a skeleton needs is kept: the package's own modules would keep 18 MB.
"""

import json
import unicodedata
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

# What confusables.txt says of ASCII, for characters that can be in the part before the @.
_ASCII: Final = {ord("0"): "o", ord("1"): "l", ord("m"): "rn", ord("|"): "l", ord("`"): "'"}
_MARKS: Final = "\u200e\u200f"  # directions, which the package's data has around some letters


def skeleton(name: str) -> str:
    """What is the same for all names that look like this one; not for anybody's eyes.

    Case is folded besides, for 0 is confused with O there and not with o.
    """
    if name.isascii():
        return name.casefold().translate(_ASCII)
    table = _table()
    # Twice, for what comes of folding may itself be confused, as the small letter of a prototype.
    for _ in range(2):
        name = unicodedata.normalize("NFD", name).translate(table).casefold()
    return unicodedata.normalize("NFD", name)


@lru_cache(1)
def _table() -> dict[int, str]:
    """The prototype of each character that has one.

    The package lists for each text what it is confused with, in both directions.  In Unicode's data
    each source, a single character, has one prototype: so a text with several partners is a
    prototype, one of several characters is, too, and of two characters with none but each other
    either may be.
    """
    listed = json.loads(_data(), object_hook=_without_title)
    found = {
        text.strip(_MARKS): [partner.strip(_MARKS) for partner in partners]
        for text, partners in listed.items()
    }
    table = {}
    for source, partners in found.items():
        if len(source) != 1 or source.isascii() or len(partners) != 1:
            continue
        (prototype,) = partners
        if found.get(prototype) == [source] and len(prototype) == 1 and prototype > source:
            continue  # the other one of this pair is mapped
        table[ord(source)] = prototype
    return table | _ASCII


def _data() -> bytes:
    spec = find_spec("confusable_homoglyphs")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).with_name("confusables.json").read_bytes()


def _without_title(entry: dict[str, Any]) -> Any:
    """{"c": text, "n": its name in Unicode} is the text; the rest is left alone."""
    return entry["c"] if len(entry) == 2 else entry
