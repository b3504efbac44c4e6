"""Reads terms as Erlang writes them into text: what a dump of ejabberd's database consists of.

A term is bytes, a number, an `Atom`, a list or a tuple; "text" is a list of numbers in Erlang, and
a string here.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from hausbote.moving.literals import MOST_BYTES, MOST_DEPTH, LiteralReader

_END: Final = b".\n"
_ESCAPES: Final = {
    "n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b", "d": "\x7f",
    "s": " ", "0": "\0",
}  # fmt: skip
_WORD: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@")
_DIGITS: Final = frozenset("0123456789")
_OCTAL: Final = frozenset("01234567")


class TermError(Exception):
    """What is no term."""


class Atom(str):
    """A name, such as true."""

    __slots__ = ()


def terms(file: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """Where each term begins in a file, in which line that is, and its text.

    Each ends with a dot at the end of a line; no line inside a string ends so, for there a quote
    comes last.
    """
    at, begin, first = 0, 0, 1
    parts: list[bytes] = []
    for line, text in enumerate(file, 1):
        at += len(text)
        parts.append(text)
        if at - begin > MOST_BYTES:
            raise TermError(f"line {first}: a term is too large")
        if text.endswith(_END):
            yield begin, first, b"".join(parts)
            parts, begin, first = [], at, line + 1
    if any(part.strip() for part in parts):
        raise TermError(f"line {first}: the file ends in the middle of a term")


def parse(text: bytes) -> Any:
    """The term; TermError if it is none."""
    reader = _TermReader(text)
    try:
        term = reader.term(0)
        reader.expect(".")
    except (IndexError, ValueError) as problem:
        raise TermError("this is no term of Erlang") from problem
    return term


def head(text: bytes, number: int) -> list[Any]:
    """The first elements of a tuple; what follows them is not looked at."""
    reader = _TermReader(text)
    try:
        reader.expect("{")
        found = [reader.term(1)]
        while len(found) < number and reader.has(","):
            found.append(reader.term(1))
    except (IndexError, ValueError) as problem:
        raise TermError("this is no term of Erlang") from problem
    return found


class _TermReader(LiteralReader):
    problem = TermError

    def term(self, depth: int) -> Any:
        if depth > MOST_DEPTH:
            raise TermError("terms are too deep within each other")
        first = self._next()
        if self.has("<<"):
            return self._binary()
        if self.has("{"):
            return tuple(self._sequence("}", depth))
        if self.has("["):
            return self._sequence("]", depth)
        if first == '"':
            return self._strings()
        if first in _DIGITS or first == "-":
            return self._number()
        if first == "'":
            return Atom(self._quoted("'"))
        if first.isalpha() and first.islower():
            return Atom(self._word(_WORD))
        raise TermError("there is something in it that is not read: a map, a process or a function")

    def _sequence(self, end: str, depth: int) -> list[Any]:
        found: list[Any] = []
        if self.has(end):
            return found
        while True:
            found.append(self.term(depth + 1))
            if self.has(end):
                return found
            self.expect(",")

    def _binary(self) -> bytes:
        """Text or numbers between << and >>."""
        if self.has(">>"):
            return b""
        if self._next() == '"':
            data = self._strings().encode("latin-1")
            if self.has("/utf8"):
                data = _utf8(data)
            self.expect(">>")
            return data
        numbers = []
        while True:
            numbers.append(int(self._word(_DIGITS)))
            if self.has(">>"):
                return bytes(numbers)
            self.expect(",")
            self._next()

    def _strings(self) -> str:
        """A text, which may be cut into several."""
        parts = [self._quoted('"')]
        while self._next() == '"':
            parts.append(self._quoted('"'))
        return "".join(parts)

    def _escaped(self) -> str:
        first = self._text[self._at]
        if first in _OCTAL:
            digits = self._text[self._at : self._at + 3]
            digits = digits[: next((n for n, d in enumerate(digits) if d not in _OCTAL), 3)]
            self._at += len(digits)
            return chr(int(digits, 8) & 0xFF)
        if self._text.startswith("x{", self._at):
            end = self._text.index("}", self._at)
            number = int(self._text[self._at + 2 : min(end, self._at + 10)], 16)
            self._at = end + 1
            return chr(number).encode().decode("latin-1") if number > 0xFF else chr(number)
        self._at += 1
        return _ESCAPES.get(first, first)

    def _number(self) -> int | float:
        text = self._word(_DIGITS | frozenset("-+.eE"))
        if text.endswith("."):  # the end of the term
            text = text[:-1]
            self._at -= 1
        return float(text) if "." in text else int(text)


def _utf8(data: bytes) -> bytes:
    """Characters that Erlang says are such: as they are, if the file itself is UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1").encode()
    return data
