"""Why something failed, in the reader's language.

Certificates and backups write down an English sentence for the owner, with names, numbers and words
of other programs in it.  Which sentences these are is in `reason_sentences`; here one is recognised
by what is the same in it each time.  Of other servers there is a cause: see `server_words`.
"""

from typing import Final

from hausbote.portal.language import FALLBACK, Language
from hausbote.portal.reason_sentences import SENTENCES

_DEEP: Final = 4  # a reason within a reason, and so on
_LONGEST: Final = 1_000  # characters, of which some may be chosen by others


class _Known:
    """A sentence with %(name)s in it; the more of it is `fixed`, the less it is another one."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        first, *others = sentence.split("%(")
        pairs = [one.partition(")s") for one in others]
        self._names = [name for name, _, _ in pairs]
        self._between = [first, *[after for _, _, after in pairs]]
        self.fixed = sum(map(len, self._between))

    def values(self, text: str) -> dict[str, str] | None:
        """What is in the places of the names, None if it is another sentence; one that is there
        twice has the same both times.  In one pass."""
        first, *between = self._between
        if not between:
            return {} if text == first else None
        last = between.pop()
        if not text.startswith(first) or not text.endswith(last):
            return None
        at, end, found = len(first), len(text) - len(last), []
        for part in between:
            next_at = text.find(part, at, end)
            if next_at < 0:
                return None
            found.append(text[at:next_at])
            at = next_at + len(part)
        found.append(text[at:end])
        values = dict(zip(self._names, found, strict=True))
        same = len(values) == len(found) or [values[name] for name in self._names] == found
        return values if at < end and all(found) and same else None


_KNOWN: Final = sorted(map(_Known, SENTENCES), key=lambda known: -known.fixed)


def told(language: Language, text: str) -> str | None:
    """The reason in that language; None if it is one that nobody has translated."""
    if language.tag == FALLBACK:
        return text
    return _told(language, text, _DEEP) if len(text) <= _LONGEST else None


def _told(language: Language, text: str, deep: int) -> str | None:
    """Of several sentences, or of a list, all that is known."""
    for known in _KNOWN:
        values = known.values(text)
        if values is not None:
            inside = {name: _inside(language, value, deep) for name, value in values.items()}
            return language.say(known.sentence, **inside)
    for parts, glue in ((text.replace(". ", ".\n").split("\n"), " "), (text.split(", "), ", ")):
        if len(parts) > 1 and deep:
            found = [_told(language, part, deep - 1) for part in parts]
            if any(found):
                return glue.join(new or old for new, old in zip(found, parts, strict=True))
    return None


def _inside(language: Language, value: str, deep: int) -> str:
    return (_told(language, value, deep - 1) if deep else None) or value
