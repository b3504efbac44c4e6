"""Who may see whose presence: the handshake of RFC 6121 §3 with the states of its appendix A.

A subscription has two halves, each kept by its own server.  For a contact here it is `subscription`
and `ask` in the roster item, `approved` for a request granted beforehand (§3.4), and a kept request
for one that waits for an answer.

Both sides of a handshake may live here.  An account's lock is never held while a stanza goes to
another account, so that two people who ask each other at once cannot block one another.
"""

from hausbote.base.domains import party_of
from hausbote.base.jid import JID
from hausbote.base.shares import Shares
from hausbote.core.directory import Account
from hausbote.core.dispatch import refuse, route
from hausbote.core.feature import Feature, Phase
from hausbote.core.host import Host
from hausbote.core.request import Presence
from hausbote.core.space import need_space
from hausbote.features.blocklist import blocks, refusal
from hausbote.features.contacts import (
    contacts_of,
    interested,
    may_see,
    put,
    sees,
)
from hausbote.features.invited_contacts import accept, ask_back
from hausbote.storage import RosterItem
from hausbote.xmpp import ns
from hausbote.xmpp.errors import BadRequest, ResourceConstraint
from hausbote.xmpp.stanza import Stanza, stanza
from hausbote.xmpp.xml import Markup, el

feature = Feature("subscriptions", xeps={"0379": "0.3.3"})

_MAX_KEPT_REQUEST = 4_096  # bytes; of a larger one only the question is kept

_ADD_TO = {"none": "to", "from": "both"}
_ADD_FROM = {"none": "from", "to": "both"}
_DROP_TO = {"to": "none", "both": "from"}
_DROP_FROM = {"from": "none", "both": "to"}


@feature.stream_feature(Phase.AFTER_LOGIN)
def pre_approval(_host: Host) -> Markup:
    return el("sub", xmlns=ns.PRE_APPROVAL)


# -- from a client of ours (§A.2) --------------------------------------------------------------


@feature.outbound("subscribe")
def ask(presence: Presence) -> None:
    """Ask to see the contact's presence (§3.1.2)."""
    account, jid = _parties(presence)
    with account.lock:
        item = contacts_of(presence.host, account).get(jid)
        if not sees(item) and not item.ask:
            put(presence.host, account, item._replace(ask=True, listed=True))
    _send(presence)


@feature.outbound("unsubscribe")
def stop_asking(presence: Presence) -> None:
    """See the contact's presence no longer (§3.3.2)."""
    account, jid = _parties(presence)
    with account.lock:
        item = contacts_of(presence.host, account).get(jid)
        if sees(item) or item.ask:
            put(presence.host, account, _without_to(item))
    _send(presence)


@feature.outbound("subscribed")
def grant(presence: Presence) -> None:
    """Grant a request (§3.1.5), or one that has not come yet (§3.4)."""
    account, jid = _parties(presence)
    host = presence.host
    with account.lock:
        item = contacts_of(host, account).get(jid)
        if may_see(item):
            return
        if not host.store.rosters.has_request(account.local, jid):
            if not item.approved:
                put(host, account, item._replace(approved=True, listed=True))
            return
        put(host, account, _with_from(item))
        host.store.rosters.remove_request(account.local, jid)
    _send(presence)
    show_presence(host, account, jid)


@feature.outbound("unsubscribed")
def deny(presence: Presence) -> None:
    """Refuse a request, withdraw a grant or an approval (§3.2.2, §3.4.2)."""
    account, jid = _parties(presence)
    host = presence.host
    with account.lock:
        item = contacts_of(host, account).get(jid)
        granted = may_see(item)
        asked = host.store.rosters.remove_request(account.local, jid)
        if granted or item.approved:
            put(host, account, _without_from(item))
    if granted:
        hide_presence(host, account, jid)
    if granted or asked:
        _send(presence)


def _parties(presence: Presence) -> tuple[Account, str]:
    assert presence.session is not None
    if presence.to is None:
        raise BadRequest("a subscription needs a to address")
    if presence.to.bare == presence.sender.bare:
        raise BadRequest("everybody sees their own presence anyway")
    if blocks(presence.host, presence.sender.local, presence.to):
        raise refusal()  # before anything is changed
    return presence.session.account, presence.to.bare


def _send(presence: Presence) -> None:
    route(presence.host, presence.stanza.replace(to=presence.recipient.bare), presence.session)


# -- to an account of ours (§A.3) --------------------------------------------------------------


@feature.inbound("subscribe")
def asked(presence: Presence) -> None:
    """A request: granted already, or by invitation; or kept and shown until answered (§3.1.3)."""
    host, jid = presence.host, presence.sender.bare
    account = _account(presence)
    if account is None:
        return
    invited = False
    with account.lock:
        item = contacts_of(host, account).get(jid)
        if item.approved and not may_see(item):
            put(host, account, _with_from(item))
            answer = True
        elif not may_see(item) and accept(host, account, presence.stanza, _with_from(item)):
            answer = invited = True
        else:
            answer = may_see(item)
        known = not answer and host.store.rosters.has_request(account.local, jid)
        displaced = None
        if not answer and not known:
            displaced = _keep_request(presence, account)
    if displaced is not None:
        refuse(host, displaced, _too_many_requests())
    if answer:
        _reply(presence, "subscribed")
        show_presence(host, account, jid)
        if invited and not sees(item):
            ask_back(presence)
    elif not known:  # one that waits already is not shown again (§A.3.1)
        for session in account.available():
            session.send(presence.stanza)


def _keep_request(presence: Presence, account: Account) -> Stanza | None:
    """Returns another request that had to go for it."""
    host, rosters, jid = presence.host, presence.host.store.rosters, presence.sender.bare
    need_space(host)
    limit = host.settings.limits.roster_items
    full = 0 < limit <= rosters.count_requests(account.local)
    displaced = rosters.take_request(account.local, _greediest(presence, account)) if full else None
    kept = presence.stanza.pack()
    if len(kept) > _MAX_KEPT_REQUEST:
        kept = presence.stanza.with_children(()).pack()
    rosters.add_request(account.local, jid, kept, host.clock())
    return None if displaced is None else Stanza.unpack(displaced)


def _greediest(presence: Presence, account: Account) -> str:
    """Whose request makes room: the oldest one of the server with most of them; of people of the
    box everybody counts by themselves.  ResourceConstraint if that is the newcomer's server."""
    host = presence.host
    home, limit = host.domain, host.settings.limits.roster_items
    shares: Shares[str, None] = Shares(limit)
    for jid in host.store.rosters.requesters(account.local):
        shares.put(jid, party_of(JID.parse(jid), home), None)
    party = party_of(presence.sender, home)
    displaced = shares.put(presence.sender.bare, party, None)
    if displaced is None or displaced.party == party:
        raise _too_many_requests()
    return displaced.key


def _too_many_requests() -> ResourceConstraint:
    return ResourceConstraint("too many requests wait for an answer there")


@feature.inbound("unsubscribe")
def asked_no_longer(presence: Presence) -> None:
    """The contact does not want our presence any more (§3.3.3)."""
    host, jid = presence.host, presence.sender.bare
    account = _kept(presence)
    if account is None:
        return
    with account.lock:
        item = contacts_of(host, account).get(jid)
        granted = may_see(item)
        known = host.store.rosters.remove_request(account.local, jid) or granted
        if known:
            _deliver(account, presence.stanza)
        if granted:
            put(host, account, _without_from(item))
    if granted:
        hide_presence(host, account, jid)


@feature.inbound("subscribed")
def granted(presence: Presence) -> None:
    """Our request was granted; without one this means nothing (§3.1.6)."""
    account = _account(presence)
    if account is None:
        return
    with account.lock:
        item = contacts_of(presence.host, account).get(presence.sender.bare)
        if not item.ask:
            return
        _deliver(account, presence.stanza)
        subscription = _ADD_TO.get(item.subscription, item.subscription)
        put(presence.host, account, item._replace(ask=False, subscription=subscription))


@feature.inbound("unsubscribed")
def denied(presence: Presence) -> None:
    """Our request was refused, or the grant withdrawn (§3.2.3)."""
    account = _kept(presence)
    if account is None:
        return
    with account.lock:
        item = contacts_of(presence.host, account).get(presence.sender.bare)
        if item.ask or sees(item):
            _deliver(account, presence.stanza)
            put(presence.host, account, _without_to(item))


def _account(presence: Presence) -> Account | None:
    local = presence.recipient.local
    host = presence.host
    return host.directory.account(local) if host.is_account(local) else None


def _kept(presence: Presence) -> Account | None:
    """Likewise, and if it is about to go: who may stay after all knows what others have ended."""
    host, local = presence.host, presence.recipient.local
    return host.directory.account(local) if host.store.accounts.exists(local) else None


def _deliver(account: Account, presence: Stanza) -> None:
    for session in interested(account):
        session.send(presence)


def _reply(presence: Presence, type: str) -> None:
    own, contact = presence.recipient.bare, presence.sender.bare
    route(presence.host, stanza("presence", from_=own, to=contact, type=type))


# -- what both sides need ----------------------------------------------------------------------


def _with_from(item: RosterItem) -> RosterItem:
    subscription = _ADD_FROM.get(item.subscription, item.subscription)
    return item._replace(subscription=subscription, approved=False, listed=True)


def _without_from(item: RosterItem) -> RosterItem:
    subscription = _DROP_FROM.get(item.subscription, item.subscription)
    return item._replace(subscription=subscription, approved=False)


def _without_to(item: RosterItem) -> RosterItem:
    subscription = _DROP_TO.get(item.subscription, item.subscription)
    return item._replace(subscription=subscription, ask=False)


def show_presence(host: Host, account: Account, jid: str) -> None:
    """Send the presence of every available client to somebody who may see it now."""
    for session in account.available():
        assert session.presence is not None
        route(host, session.presence.replace(to=jid))
    for granted in host.registry.grants:
        granted(host, account.local, jid)


def hide_presence(host: Host, account: Account, jid: str) -> None:
    """Tell somebody who may see us no longer that we are gone."""
    for session in account.available():
        gone = stanza("presence", from_=session.jid.full, to=jid, type="unavailable")
        route(host, gone)
    for withdrawn in host.registry.withdrawals:
        withdrawn(host, account.local, jid)


def cancel(host: Host, account: Account, item: RosterItem) -> None:
    """Undo what a contact that was just removed still has with us (§2.5.2)."""
    own = f"{account.local}@{host.domain}"
    asked = host.store.rosters.remove_request(account.local, item.jid)
    if may_see(item):
        hide_presence(host, account, item.jid)
    if sees(item) or item.ask:
        route(host, stanza("presence", from_=own, to=item.jid, type="unsubscribe"))
    if may_see(item) or asked:
        route(host, stanza("presence", from_=own, to=item.jid, type="unsubscribed"))
