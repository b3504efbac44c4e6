"""Lists of addresses that somebody sent."""

from collections.abc import Iterable

from hausbote.base.jid import JID
from hausbote.core.host import breathe


def parse_all(texts: Iterable[str]) -> list[JID]:
    """The addresses in their order; InvalidJID if one is none.

    Others have their turn in between: what depends on how things are is to be looked up after this.
    """
    found = []
    for text in texts:
        found.append(JID.parse(text))
        breathe()
    return found
