"""Clients that come: what they want to hear of, and the last items of that (XEP-0163 §4.3.4)."""

from functools import partial
from typing import Any

from hausbote.base.jid import JID
from hausbote.core.dispatch import route
from hausbote.core.feature import Feature, Moment
from hausbote.core.host import Host
from hausbote.core.request import Presence
from hausbote.core.session import Session
from hausbote.features.contacts import contacts_of, is_subscribed, may_see, sees
from hausbote.features.pubsub import last_items
from hausbote.features.pubsub.config import NodeConfig
from hausbote.features.pubsub.interest import (
    Interest,
    Question,
    Remote,
    interest_of,
    learn,
    question,
)
from hausbote.features.pubsub.last_items import forget, send_last, send_last_elsewhere
from hausbote.features.pubsub.service import Service
from hausbote.features.pubsub.subscriptions import review_person
from hausbote.xmpp import ns

feature = Feature(
    "PEP for those who come",
    xeps={"0163": "1.2.2", "0115": "1.6.0", "0390": "0.3.2"},
    partial={"0390": "capabilities of clients; the server announces its own as in XEP-0115"},
    disco=(ns.CAPS_2,),
)


@feature.on(Moment.SEEN)
def came(host: Host, session: Session) -> None:
    """A client of ours said what it can do."""
    assert session.presence is not None
    interest = interest_of(session)
    if learn(host, interest, session.presence):
        answered = partial(_send_last, host, session)
        asked = Question(host, session.jid.bare, session.jid, interest, answered)
        session.send(question(asked))
    else:
        _send_last(host, session)


@feature.on(Moment.LEFT)
def left(_host: Host, session: Session) -> None:
    """What it gets when it comes again, it gets anew."""
    interest_of(session).served = frozenset()
    forget(session)


def _send_last(host: Host, session: Session) -> None:
    """The last items of the account itself and of its contacts here."""
    names = interest_of(session).news()
    if not names or session.presence is None:
        return
    people = [session.account.local]
    for item in contacts_of(host, session.account).items.values():
        contact = JID.parse(item.jid)
        if sees(item) and contact.domain == host.domain:
            people.append(contact.local)
    send_last(host, session, people, names)


@feature.granted
def may_see_now(host: Host, local: str, jid: str) -> None:
    """A contact gets the last items of somebody who just let them in (XEP-0163 §4.3.4)."""
    _send_to_contact(host, local, jid, None)


@feature.withdrawn
def may_see_no_longer(host: Host, local: str, jid: str) -> None:
    """Nor be subscribed to what is for those who may (XEP-0163 §7.1)."""
    review_person(Service(host, local), jid)


@feature.regrouped
def in_other_groups(host: Host, local: str, jid: str, before: tuple[str, ...]) -> None:
    """A contact gets the last items of nodes for a group that they are in now (XEP-0060 §12.2)."""
    service = Service(host, local)
    review_person(service, jid)
    now = contacts_of(host, host.directory.account(local)).get(jid).groups
    opened = {
        node.name
        for node in host.store.pubsub.nodes(local)
        if _lets_in(service.config(node), now) and not _lets_in(service.config(node), before)
    }
    if opened:
        _send_to_contact(host, local, jid, opened)


def _lets_in(config: NodeConfig, groups: tuple[str, ...]) -> bool:
    allowed = config.values("roster_groups_allowed")
    return config.value("access_model") == "roster" and not set(allowed).isdisjoint(groups)


def _send_to_contact(host: Host, local: str, jid: str, among: set[str] | None) -> None:
    """Last items of the account for a contact's clients that are available, as far as is known:
    of the nodes that each wants to hear of, and `among` these if it is not None."""
    contact = JID.parse(jid)
    if contact.domain != host.domain:
        known = host.directory.account(local).state(Remote).clients.get(contact.bare, {})
        for name, interest in list(known.items()):
            names = _among(interest, among)
            send_last_elsewhere(host, local, contact.with_resource(name), names)
        return
    account = host.directory.online(contact.local)
    for session in account.available() if account is not None else []:
        send_last(host, session, [local], _among(interest_of(session), among))


def _among(interest: Interest, names: set[str] | None) -> list[str]:
    return sorted(interest.nodes if names is None else interest.nodes & names)


# -- clients elsewhere -------------------------------------------------------------------------


@feature.witness
def seen(presence: Presence) -> None:
    """A contact's client elsewhere came or went."""
    host, sender, local = presence.host, presence.sender, presence.recipient.local
    if sender.domain == host.domain or not sender.resource or presence.recipient.resource:
        return
    account = host.directory.account(local)
    remote = account.state(Remote)
    if presence.stanza.type == "unavailable":
        remote.remove(sender)
        return
    contact = contacts_of(host, account).get(sender.bare)
    if not (may_see(contact) or sees(contact)):  # who is seen may be let in later
        return
    interest = remote.add(sender) if host.directory.online(local) is not None else Interest()
    own = presence.recipient.bare
    if learn(host, interest, presence.stanza):
        answered = partial(_send_last_elsewhere, host, local, sender, interest)
        route(host, question(Question(host, own, sender, interest, answered)))
    else:
        _send_last_elsewhere(host, local, sender, interest)


def _send_last_elsewhere(host: Host, local: str, who: JID, interest: Interest) -> None:
    names = interest.news() if is_subscribed(host, local, who) else []
    send_last_elsewhere(host, local, who, names)


def _pack(session: Session) -> list[Any]:
    return interest_of(session).pack()


def _unpack(_host: Host, session: Session, packed: list[Any]) -> None:
    interest_of(session).unpack(packed)


def _pack_remote(session: Session) -> list[Any]:
    return [
        [f"{bare}/{resource}", *interest.pack()]
        for bare, clients in session.account.state(Remote).clients.items()
        for resource, interest in clients.items()
    ]


def _unpack_remote(_host: Host, session: Session, packed: list[Any]) -> None:
    for jid, *said in packed:
        session.account.state(Remote).add(JID.parse(jid)).unpack(said)


feature.keeps("interest", _pack, _unpack)
feature.keeps("last items", last_items.pack, last_items.unpack)
feature.keeps("interest elsewhere", _pack_remote, _unpack_remote)
