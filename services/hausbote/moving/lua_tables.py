"""Reads tables as Prosody writes them into its files: literals of Lua, nothing that is computed.

A table is a `Table`; texts, numbers, true, false and nil are what Python has for them.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO, Final, NamedTuple

from hausbote.moving.literals import MOST_BYTES, MOST_DEPTH, LiteralReader

_LAST_LINE: Final = b"});"
_ESCAPES: Final = {
    "n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "a": "\a", "\n": "\n",
}  # fmt: skip
_DIGITS: Final = frozenset("0123456789")
_NUMBER: Final = frozenset("0123456789+-.eExXabcdfABCDF")
_WORDS: Final = {"true": True, "false": False, "nil": None}


class LuaError(Exception):
    """What is no such table."""


class Table(NamedTuple):
    """What has a key, and what follows each other without one."""

    fields: dict[Any, Any]
    items: list[Any]


def parse(text: bytes) -> Table:
    """The table of "return {...};"."""
    for found in _tables(text, "return", ""):
        return found
    raise LuaError("there is nothing in it")


def items(file: BinaryIO) -> Iterator[Table]:
    """Each table of "item({...});", which ends with a line of its own."""
    parts: list[bytes] = []
    size, first = 0, 1
    for line, text in enumerate(file, 1):
        parts.append(text)
        size += len(text)
        if size > MOST_BYTES:
            raise LuaError(f"line {first}: an item is too large")
        if text.rstrip() == _LAST_LINE:
            try:
                yield from _tables(b"".join(parts), "item(", ");")
            except LuaError as problem:
                raise LuaError(f"line {first}: {problem}") from None
            parts, size, first = [], 0, line + 1
    if any(part.strip() for part in parts):
        raise LuaError(f"line {first}: the file ends in the middle of an item")


def _tables(text: bytes, before: str, after: str) -> Iterator[Table]:
    """All that a text consists of."""
    reader = _TableReader(text.rstrip())
    while not reader.ended:
        try:
            reader.expect(before)
            found = reader.value(0)
            if after:
                reader.expect(after)
        except (IndexError, ValueError) as problem:
            raise LuaError("this is no table of Lua's") from problem
        if not isinstance(found, Table):
            raise LuaError("this is no table of Lua's")
        yield found


class _TableReader(LiteralReader):
    problem = LuaError

    @property
    def ended(self) -> bool:
        return self._at >= len(self._text)

    def value(self, depth: int) -> Any:
        if depth > MOST_DEPTH:
            raise LuaError("tables are too deep within each other")
        first = self._next()
        if self.has("{"):
            return self._table(depth)
        if first in "\"'":
            return self._quoted(first).encode("latin-1").decode("utf-8", "replace")
        if first in _DIGITS or first == "-":
            return self._number()
        for word, meaning in _WORDS.items():
            if self.has(word):
                return meaning
        raise LuaError("there is something in it that is no literal")

    def _table(self, depth: int) -> Table:
        found = Table({}, [])
        while not self.has("}"):
            if self.has("["):
                key = self.value(depth + 1)
                self.expect("]")
                self.expect("=")
                if isinstance(key, Table):
                    raise LuaError("a table is no key")
                found.fields[key] = self.value(depth + 1)
            else:
                found.items.append(self.value(depth + 1))
            if not self.has(";") and not self.has(","):
                self.expect("}")
                break
        return found

    def _escaped(self) -> str:
        first = self._text[self._at]
        if first in _DIGITS:
            digits = first
            while len(digits) < 3 and self._text[self._at + len(digits)] in _DIGITS:
                digits += self._text[self._at + len(digits)]
            self._at += len(digits)
            return chr(int(digits) & 0xFF)
        if first == "x":
            self._at += 3
            return chr(int(self._text[self._at - 2 : self._at], 16))
        self._at += 1
        return _ESCAPES.get(first, first)

    def _number(self) -> int | float:
        text = self._word(_NUMBER)
        return int(text) if text.lstrip("-").isdigit() else float(text)
