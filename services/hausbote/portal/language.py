"""The languages of the portal: German and English, each with its catalogue of sentences.

English is in the templates and the code, German in locale/de; `tools/translations.py` brings the
two together.
"""

import gettext
from pathlib import Path
from typing import Final

_LOCALE: Final = Path(__file__).with_name("locale")
_DOMAIN: Final = "portal"
NAMES: Final = {"de": "Deutsch", "en": "English"}
FALLBACK: Final = "en"


class Language:
    """`tag` is de or en."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.catalogue = gettext.translation(
            _DOMAIN, _LOCALE, [tag], fallback=tag == FALLBACK
        )  # FileNotFoundError for a language without a catalogue

    def say(self, sentence: str, **values: object) -> str:
        """A sentence in this language, with these values in its %(name)s."""
        return self.catalogue.gettext(sentence) % values

    def count(self, one: str, many: str, number: int, **values: object) -> str:
        """The same for a sentence that has %(num)s of something."""
        return self.catalogue.ngettext(one, many, number) % {"num": number, **values}


def wanted(header: str) -> str | None:
    """The first of our languages in an Accept-Language (RFC 9110 §12.5.4); None if it has none."""
    found: list[tuple[float, int, str]] = []
    for at, part in enumerate(header[:500].split(",")):
        tag, _, quality = part.strip().partition(";q=")
        short = tag.strip().lower().partition("-")[0]
        if short in NAMES:
            found.append((-_number(quality), at, short))
    return min(found)[2] if found else None


def _number(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0
