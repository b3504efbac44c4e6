"""Who blocks whom, in memory: what every stanza is checked against.

People who block nobody, which is nearly everybody, cost one look into a set.  A list is read when
it is first needed and kept as long as its account is in use.
"""

from hausbote.base.jid import JID
from hausbote.core.directory import Account
from hausbote.core.host import Host
from hausbote.xmpp import ns
from hausbote.xmpp.errors import NotAcceptable, StanzaError
from hausbote.xmpp.xml import el


class Holders:
    """The accounts of this service that block anybody."""

    __slots__ = ("locals",)

    def __init__(self) -> None:
        self.locals: set[str] | None = None


class BlockList:
    """What one account blocks; changed in one step, by `replace_list`."""

    __slots__ = ("jids",)

    def __init__(self) -> None:
        self.jids: frozenset[str] | None = None


class Interest:
    """Whether a session asked for its block list, and so is told of changes."""

    __slots__ = ("blocklist",)

    def __init__(self) -> None:
        self.blocklist = False


def holders(host: Host) -> set[str]:
    """The local parts of those who block anybody."""
    state = host.state(Holders)
    if state.locals is None:
        state.locals = host.store.blocklists.holders()
    return state.locals


def read_again(host: Host) -> None:
    """The store has more accounts that block somebody."""
    host.state(Holders).locals = None


def list_of(host: Host, account: Account) -> frozenset[str]:
    """The JIDs that the account blocks."""
    state = account.state(BlockList)
    if state.jids is None:
        state.jids = frozenset(host.store.blocklists.load(account.local))
    return state.jids


def replace_list(host: Host, account: Account, jids: frozenset[str]) -> None:
    """What the store has is this now; the account's lock must be held."""
    account.state(BlockList).jids = jids
    if jids:
        holders(host).add(account.local)
    else:
        holders(host).discard(account.local)


def covers(jids: frozenset[str], other: JID) -> bool:
    """Whether one of the items stands for that address (XEP-0191 §5)."""
    return other.full in jids or other.bare in jids or other.domain in jids


def blocks(host: Host, local: str, other: JID) -> bool:
    """Whether that account of ours blocks the address.

    Nobody blocks themselves (§4), nor the server that handles their stanzas.
    """
    if local not in holders(host) or other.full == host.domain:
        return False
    if other.local == local and other.domain == host.domain:
        return False
    return covers(list_of(host, host.directory.account(local)), other)


def refusal() -> StanzaError:
    """To somebody who sends something to an address that they block (XEP-0191 §3.3)."""
    blocked = el("blocked", xmlns=ns.BLOCKING_ERRORS)
    return NotAcceptable("you block this address", type="cancel", extra=blocked)


def apart(host: Host, one: JID, other: JID) -> bool:
    """Whether either of two people blocks the other, as far as they are ours."""
    if not holders(host):
        return False
    pairs = ((one, other), (other, one))
    return any(who.domain == host.domain and blocks(host, who.local, whom) for who, whom in pairs)
