"""One part of the storage that was looked at."""

from typing import NamedTuple

from hausbote.base.troubles import Trouble


class Part(NamedTuple):
    """`told` is how it is if there are no troubles; it is not `known` where the machine does not
    tell, and `change` is what would make it tell."""

    subject: str
    told: str
    troubles: tuple[Trouble, ...] = ()
    known: bool = True
    change: str = ""


def counted(number: int, noun: str) -> str:
    """1 sector, 2 sectors."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
