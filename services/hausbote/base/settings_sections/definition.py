"""How a setting is written down, and all of them in their order."""

import typing
from collections.abc import Iterator
from dataclasses import Field, field, fields, is_dataclass
from typing import Any


def setting(default: Any, doc: str, *, choices: tuple[str, ...] = (), minimum: int = 0) -> Any:
    """A field with its documentation; MISSING as default makes it required."""
    metadata = {"doc": doc, "choices": choices, "minimum": minimum}
    return field(default=default, metadata=metadata)


def documented(cls: type, prefix: str = "") -> Iterator[tuple[str, Field[Any]]]:
    """Every setting as ("section.key", field), in their order."""
    for option in fields(cls):
        if "internal" in option.metadata:
            continue
        if is_dataclass(option.type):
            yield from documented(typing.cast(type, option.type), f"{option.name}.")
        else:
            yield prefix + option.name, option
