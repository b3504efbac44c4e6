"""What the readers of other servers' files have in common: one way through a text of literals."""

from typing import Final

MOST_DEPTH: Final = 300  # of what is inside each other
MOST_BYTES: Final = 33_554_432  # of what is read as one


class LiteralReader:
    """Goes through a text once, from the left to the right; a character stands for a byte.

    IndexError or ValueError where the text ends too early, `problem` where it is something else.
    """

    problem: type[Exception] = ValueError

    def __init__(self, text: bytes) -> None:
        self._text = text.decode("latin-1")
        self._at = 0

    def _next(self) -> str:
        """The next character that is no white space."""
        while self._text[self._at].isspace():
            self._at += 1
        return self._text[self._at]

    def has(self, what: str) -> bool:
        """Whether that comes next; if so, it is left behind."""
        self._next()
        found = self._text.startswith(what, self._at)
        if found:
            self._at += len(what)
        return found

    def expect(self, what: str) -> None:
        if not self.has(what):
            raise self.problem(f"there is no {what} where it should be")

    def _word(self, allowed: frozenset[str]) -> str:
        begin = self._at
        while self._text[self._at] in allowed:
            self._at += 1
        return self._text[begin : self._at]

    def _quoted(self, quote: str) -> str:
        """What stands between this quotation mark and the next one."""
        self._at += 1
        parts = []
        end = -1
        while True:
            if end < self._at:  # or it is where it was: what is between is not looked at again
                end = self._text.index(quote, self._at)
            escape = self._text.find("\\", self._at, end)
            if escape < 0:
                parts.append(self._text[self._at : end])
                self._at = end + 1
                return "".join(parts)
            parts.append(self._text[self._at : escape])
            self._at = escape + 1
            parts.append(self._escaped())

    def _escaped(self) -> str:
        """What follows a backslash, and stands for one character."""
        raise NotImplementedError
