"""What IQ and presence handlers get to see."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from hausbote.base.jid import JID
from hausbote.base.ways import DIRECT, Way
from hausbote.xmpp.stanza import Child, Stanza, tree
from hausbote.xmpp.xml import Tree

if TYPE_CHECKING:
    from hausbote.core.host import Host
    from hausbote.core.session import Session

T = TypeVar("T")

LATER: Final = Child("", "", "")
"""What the handler of an IQ returns if it calls `core.dispatch.answer` or `refuse` later."""


@dataclass(slots=True)
class Request:
    """An IQ get or set.

    `session` is the sender's, if it is one of this process; `address` is the network address of a
    connection that has not logged in, else "", `way` how it came, and `states` what features know
    of its stream.  What is put into `afterwards` runs when the answer is on its way.
    """

    host: "Host"
    stanza: Stanza
    sender: JID | None
    to: JID
    payload: Child
    session: "Session | None" = None
    address: str = ""
    way: Way = DIRECT
    states: dict[type, Any] = field(default_factory=dict)
    afterwards: list[Callable[[], None]] = field(default_factory=list)

    def tree(self) -> Tree:
        """The payload, to look into."""
        return tree(self.payload)

    def state(self, kind: type[T]) -> T:
        """A feature's own state of a stranger's stream, made on first use by calling `kind`."""
        found = self.states.get(kind)
        if found is None:
            found = self.states[kind] = kind()
        return found

    @property
    def own(self) -> bool:
        """Whether the sender asks for their own account."""
        return self.sender is not None and self.sender.bare == self.to.bare


class Presence(NamedTuple):
    """A presence stanza on its way out of a session, or in to an account.

    `to` is None for a broadcast.  Inbound, `session` is the sender's if the sender is local.
    """

    host: "Host"
    stanza: Stanza
    sender: JID
    to: JID | None
    session: "Session | None" = None

    @property
    def recipient(self) -> JID:
        """`to` of a presence that has one."""
        assert self.to is not None
        return self.to
