"""Who is here: accounts with their bound sessions."""

from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakValueDictionary

from gevent.lock import RLock

if TYPE_CHECKING:
    from hausbote.core.session import Session

T = TypeVar("T")


def new_lock() -> Any:
    """A lock that makes greenlets wait, and that its holder may take again."""
    return RLock()


class Account:
    """An account as this process knows it: its sessions by resource, and features' state of it.

    It lives as long as someone needs it: a session, or a handler at work.
    """

    __slots__ = ("__weakref__", "_lock", "_states", "local", "sessions")

    def __init__(self, local: str) -> None:
        self.local = local
        self.sessions: dict[str, Session] = {}
        self._states: dict[type, Any] = {}
        self._lock: Any = None

    @property
    def lock(self) -> Any:
        """Held by whoever changes what belongs to the account in more than one step."""
        if self._lock is None:
            self._lock = new_lock()
        return self._lock

    def state(self, kind: type[T]) -> T:
        """A feature's own state of this account, made on first use by calling `kind`."""
        found = self._states.get(kind)
        if found is None:
            found = self._states[kind] = kind()
        return found

    def available(self) -> "list[Session]":
        """The sessions that sent available presence."""
        return [s for s in self.sessions.values() if s.presence is not None]


class Directory:
    """Accounts by local part."""

    def __init__(self) -> None:
        self._accounts: WeakValueDictionary[str, Account] = WeakValueDictionary()
        self._online: dict[str, Account] = {}

    @property
    def sessions(self) -> int:
        """How many are bound."""
        return sum(len(account.sessions) for account in self._online.values())

    def online(self, local: str) -> Account | None:
        """The account, if it has a bound session."""
        return self._online.get(local)

    def online_accounts(self) -> list[Account]:
        """All accounts that have a bound session."""
        return list(self._online.values())

    def account(self, local: str) -> Account:
        """The one object for that account while anyone holds it."""
        account = self._accounts.get(local)
        if account is None:
            account = self._accounts[local] = Account(local)
        return account

    def is_current(self, account: Account) -> bool:
        """Whether this is the account of that name still, and not one that was deleted."""
        return self._accounts.get(account.local) is account

    def in_use(self) -> list[Account]:
        """Accounts that someone holds: online ones, and those at work."""
        return list(self._accounts.values())

    def forget(self, local: str) -> None:
        """The account was deleted: whoever gets the name next has nothing of it."""
        self._accounts.pop(local, None)

    def add(self, session: "Session") -> None:
        """Bind; the resource must be free, or whoever has it could not be found again."""
        account = session.account
        assert session.jid.resource not in account.sessions, "the resource is taken"
        account.sessions[session.jid.resource] = session
        self._online[account.local] = account

    def remove(self, session: "Session") -> None:
        account = session.account
        if account.sessions.get(session.jid.resource) is session:
            del account.sessions[session.jid.resource]
            if not account.sessions:
                del self._online[account.local]

    def everybody(self) -> "list[Session]":
        """All bound sessions."""
        return [s for account in self._online.values() for s in account.sessions.values()]
