"""Requests that show an invitation are granted by the server (XEP-0379).

Tokens that clients have made themselves are not known here, and these requests go to the clients as
any other.
"""

from hausbote.base.log import Event, Word, log
from hausbote.core.directory import Account
from hausbote.core.dispatch import route
from hausbote.core.host import Host
from hausbote.core.request import Presence
from hausbote.core.space import need_space
from hausbote.features.contacts import contacts_of, is_full, may_see, note, put, sees
from hausbote.storage import InvitationRefused, Kind, RosterItem
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Stanza, stanza, start_tag


def accept(host: Host, account: Account, request: Stanza, granted: RosterItem) -> bool:
    """Whether the request showed a good invitation of that account, which is used up then.

    `granted` is the contact as it is when the request is granted; its presence is asked for as
    well.  ResourceConstraint if the disk is full.  The account's lock must be held.
    """
    shown = request.child(ns.PARS, "preauth")
    if shown is None:
        return False
    token = start_tag(shown).get("token") or ""
    invitations = host.store.invitations
    if invitations.look(token) is None:  # nobody waits for the disk because of what is made up
        return False
    known = granted.jid in contacts_of(host, account).items
    if not known:
        if is_full(host, account):
            return False
        need_space(host)
    item = granted if sees(granted) else granted._replace(ask=True)
    try:
        version = invitations.use_for_contact(token, account.local, item, now=host.surely())
    except InvitationRefused:
        return False
    note(host, account, item, version)
    host.store.rosters.remove_request(account.local, item.jid)
    log(Event.INVITATION_USED, kind=Word(Kind.CONTACT))
    return True


def ask_back(presence: Presence) -> None:
    """Ask whoever followed an invitation for their presence (§3.4); nobody's lock may be held.

    People of this box are not asked once more: they wanted to be seen when they followed it.  Those
    elsewhere have servers and clients that know what to do (§3.5).
    """
    host, guest, own = presence.host, presence.sender, presence.recipient.bare
    if guest.domain == host.domain and host.is_account(guest.local):
        account = host.directory.account(guest.local)
        with account.lock:
            item = contacts_of(host, account).get(own)
            if not may_see(item) and not item.approved:
                put(host, account, item._replace(approved=True, listed=True))
    route(host, stanza("presence", from_=own, to=guest.bare, type="subscribe"))
