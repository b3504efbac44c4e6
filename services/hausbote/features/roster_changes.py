"""Rosters that were changed from outside, by the hausbote command: what clients hear of it."""

from hausbote.core.host import Host
from hausbote.features.contacts import Contacts, contacts_of, may_see, push
from hausbote.features.subscriptions import hide_presence, show_presence
from hausbote.storage import Removed


def reread(host: Host, local: str) -> None:
    """Read an account's roster again; its clients are told, and so are people who see it now or do
    not see it any more."""
    account = next((one for one in host.directory.in_use() if one.local == local), None)
    if account is None or not account.state(Contacts).loaded:
        return
    with account.lock:
        contacts = contacts_of(host, account)
        before = contacts.items
        contacts.load(host, local)
        contacts.changed(contacts.version)
        after = contacts.items
        for jid in sorted({*before, *after}):
            if before.get(jid) != after.get(jid):
                push(account, after.get(jid) or Removed(jid), contacts.version)
    saw = {jid for jid, item in before.items() if may_see(item)}
    see = {jid for jid, item in after.items() if may_see(item)}
    for jid in sorted(see - saw):
        show_presence(host, account, jid)
    for jid in sorted(saw - see):
        hide_presence(host, account, jid)
