"""The end of an account, and of its sessions, for everybody who may decide on it."""

from hausbote.core import dispatch
from hausbote.core.directory import Account
from hausbote.core.exchange import announce_deletion
from hausbote.core.host import Host
from hausbote.features.blocklist import holders
from hausbote.features.contacts import contacts_of, forget_person
from hausbote.features.subscriptions import cancel
from hausbote.xmpp.errors import StreamError


def erase(host: Host, account: Account) -> None:
    """Delete the account and everything of it; its contacts hear that it sees them no more."""
    contacts = contacts_of(host, account)
    for item in list(contacts.items.values()):
        cancel(host, account, item)
    contacts.clear()
    jid = f"{account.local}@{host.domain}"
    host.store.accounts.delete(account.local, jid)
    host.directory.forget(account.local)
    announce_deletion(host, account.local)
    host.store.activity.forget(account.local)
    host.store.clients.forget(account.local)
    forget_person(host, jid)
    holders(host).discard(account.local)


def end_sessions(host: Host, account: Account, why: StreamError, resource: str = "") -> None:
    """Log out all clients of the account, or the one of that resource."""
    for session in list(account.sessions.values()):
        if resource in ("", session.jid.resource):
            session.transport.end(why)
            dispatch.gone(host, session)
