"""A command that a feature offers to clients (XEP-0050); features/adhoc.py runs it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from hausbote.core.request import Request
from hausbote.xmpp.data_form import DataForm

Values = dict[str, list[str]]
"""What was filled in, by field."""


class Done(NamedTuple):
    """The command has completed; `error` says why in vain (§4.4)."""

    form: DataForm | None = None
    info: str | None = None
    error: str | None = None


Step = Callable[[Request, Values], "DataForm | Done"]


@dataclass(frozen=True)
class Command:
    """`steps` run one after the other, each with all that was filled in so far.

    What a step returns is the next form, or the end; the first one gets nothing.
    """

    node: str
    name: str
    allowed: Callable[[Request], bool]
    steps: tuple[Step, ...]
