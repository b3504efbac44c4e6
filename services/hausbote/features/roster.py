"""The contact list: get with versions, set, remove (RFC 6121 §2)."""

from collections.abc import Sequence
from functools import partial

from hausbote.base.jid import JID, InvalidJID
from hausbote.base.tokens import token
from hausbote.core.directory import Account
from hausbote.core.feature import Feature, Phase, Target
from hausbote.core.host import Host
from hausbote.core.request import Request
from hausbote.core.session import Session
from hausbote.features.contacts import Interest, contacts_of, put, remove, roster_payload
from hausbote.features.subscriptions import cancel
from hausbote.storage import Removed, RosterItem
from hausbote.xmpp import ns
from hausbote.xmpp.errors import (
    BadRequest,
    Forbidden,
    ItemNotFound,
    NotAcceptable,
    NotAllowed,
    ServiceUnavailable,
)
from hausbote.xmpp.stanza import Child, stanza
from hausbote.xmpp.xml import Markup, Tree, el

feature = Feature("roster", xeps={"0237": "1.3"})

_MAX_TEXT = 1023  # bytes of a contact's name, and of a group's
_MAX_GROUPS = 50


@feature.stream_feature(Phase.AFTER_LOGIN)
def versions(_host: Host) -> Markup:
    return el("ver", xmlns=ns.ROSTER_VERSIONING)


@feature.iq("get", ns.ROSTER, "query", Target.ACCOUNT)
def get(request: Request) -> Child | None:
    """The roster, or only what changed since the version that the client has (§2.6)."""
    host, session = request.host, request.session
    if session is None or not request.own:
        raise Forbidden
    session.state(Interest).roster = True
    contacts = contacts_of(host, session.account)
    known = request.tree().get("ver")
    if known is not None and known.isascii() and known.isdigit() and len(known) < 16:
        changes = host.store.rosters.changes(session.account.local, int(known))
        if changes is not None:
            request.afterwards.append(lambda: _push(session, changes))
            return None
    listed = [item for item in contacts.items.values() if item.listed]
    return roster_payload([*listed], contacts.version)


def _push(session: Session, changes: Sequence[tuple[int, RosterItem | Removed]]) -> None:
    for version, change in changes:
        if isinstance(change, Removed) or change.listed:
            payload = roster_payload([change], version)
            session.send(stanza("iq", payload, type="set", id=token(64), to=session.jid.full))


@feature.iq("set", ns.ROSTER, "query", Target.ACCOUNT)
def change(request: Request) -> None:
    """Add, rename, regroup or remove one contact (§2.3 to §2.5)."""
    if request.session is None or not request.own:
        raise Forbidden
    items = request.tree().findall(f"{{{ns.ROSTER}}}item")
    if len(items) != 1:
        raise BadRequest("a roster set has one item")
    jid = _address(items[0])
    if jid.bare == request.session.jid.bare:
        raise NotAllowed("nobody is in their own roster")
    if items[0].get("subscription") == "remove":
        if not remove_contact(request.host, request.session.account, jid.bare):
            raise ItemNotFound
    else:
        _put(request, jid, items[0])


@feature.iq("set", ns.ROSTER, "query", Target.CLIENT)
def forged(_request: Request) -> None:
    """Clients hear of their roster from us alone (§2.1.6); not all of them look who says it."""
    raise ServiceUnavailable


def _address(item: Tree) -> JID:
    try:
        return JID.parse(item.get("jid", ""))
    except InvalidJID as problem:
        raise BadRequest(str(problem)) from None


def _put(request: Request, jid: JID, item: Tree) -> None:
    assert request.session is not None
    account = request.session.account
    name, groups = item.get("name", ""), _groups(item)
    if len(name.encode()) > _MAX_TEXT:
        raise NotAcceptable("the name is too long")
    host = request.host
    with account.lock:
        before = contacts_of(host, account).get(jid.bare)
        put(host, account, before._replace(name=name, groups=groups, listed=True))
    if set(groups) != set(before.groups):
        request.afterwards += [
            partial(regrouped, host, account.local, jid.bare, before.groups)
            for regrouped in host.registry.regroupings
        ]


def _groups(item: Tree) -> tuple[str, ...]:
    groups = [element.text or "" for element in item.findall(f"{{{ns.ROSTER}}}group")]
    if len(set(groups)) != len(groups):
        raise BadRequest("a group is named twice")
    if not all(0 < len(group.encode()) <= _MAX_TEXT for group in groups):
        raise NotAcceptable("a group's name is empty or too long")
    if len(groups) > _MAX_GROUPS:
        raise NotAcceptable("the contact is in too many groups")
    return tuple(groups)


def remove_contact(host: Host, account: Account, jid: str) -> bool:
    """With all that it still has with us; False if there is no such contact.  Waits."""
    with account.lock:
        item = contacts_of(host, account).get(jid)
        if not item.listed:
            return False
        remove(host, account, jid)
    cancel(host, account, item)
    return True


def _unpack(_host: Host, session: Session, _wants: bool) -> None:
    session.state(Interest).roster = True


feature.keeps("roster", lambda session: session.state(Interest).roster, _unpack)
