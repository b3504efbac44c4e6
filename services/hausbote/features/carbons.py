"""Copies of every conversation for a user's other devices (XEP-0280).

Its §6.1 says which messages are copied.  The message is written once for all of its copies; only
the to address differs between them.
"""

import time
from collections import deque
from typing import Final

from hausbote.base.jid import JID, InvalidJID
from hausbote.core.delivery import Delivery, Sent, recipients
from hausbote.core.directory import Account
from hausbote.core.feature import Feature, Moment, Stage, Target
from hausbote.core.host import Host
from hausbote.core.request import Request
from hausbote.core.session import Session
from hausbote.features.archive import keeping
from hausbote.features.presence import address_in
from hausbote.xmpp import ns
from hausbote.xmpp.errors import NotAllowed, ServiceUnavailable
from hausbote.xmpp.invitations import is_invitation
from hausbote.xmpp.stanza import Child, Stanza, child
from hausbote.xmpp.xml import el, escape_attribute

feature = Feature(
    "carbons",
    xeps={"0280": "1.0.1", "0297": "1.0", "0334": "1.0.0"},
    disco=(ns.CARBONS, ns.CARBONS_RULES),
)

_REMEMBERED: Final = 32  # copied messages of an account that an error may still answer
_CONVERSATION: Final = frozenset((ns.RECEIPTS, ns.CHAT_STATES, ns.CHAT_MARKERS))
_WRAPPERS: Final = frozenset(("sent", "received"))


class Enabled:
    """The sessions of an account that want copies, and since when."""

    __slots__ = ("sessions",)

    def __init__(self) -> None:
        self.sessions: dict[Session, float] = {}


class Copied:
    """The last messages of an account that were copied, as (the other's bare JID, id)."""

    __slots__ = ("last",)

    def __init__(self) -> None:
        self.last: deque[tuple[str, str]] = deque(maxlen=_REMEMBERED)


# -- wanting copies ----------------------------------------------------------------------------


@feature.iq("set", ns.CARBONS, "enable", Target.ACCOUNT)
def enable(request: Request) -> None:
    _enable(_owner(request))


@feature.iq("set", ns.CARBONS, "disable", Target.ACCOUNT)
def disable(request: Request) -> None:
    _disable(_owner(request))


@feature.iq("set", ns.CARBONS, "enable", Target.CLIENT)
@feature.iq("set", ns.CARBONS, "disable", Target.CLIENT)
def refuse(_request: Request) -> None:
    """Nobody decides for another client, there or not (§5.1)."""
    raise NotAllowed


@feature.bind_inline(ns.CARBONS, "enable")
def enable_at_login(_host: Host, session: Session, _element: Child) -> None:
    _enable(session)


@feature.on(Moment.GONE)
def gone(_host: Host, session: Session) -> None:
    _disable(session)


def had_copy(session: Session, stanza: Stanza, type: str, sender: JID, at: float) -> bool:
    """Whether it got a copy of a message to another of its account's clients at that time."""
    account = session.account
    since = account.state(Enabled).sessions.get(session)
    return (
        since is not None
        and since <= at
        and not _is_from_occupant(stanza, sender)
        and _is_eligible(account, stanza, type, sender)
    )


def _owner(request: Request) -> Session:
    if request.session is None or not request.own:
        raise ServiceUnavailable  # the same for accounts that do not exist
    return request.session


def _enable(session: Session) -> None:
    session.account.state(Enabled).sessions.setdefault(session, time.time())


def _disable(session: Session) -> None:
    session.account.state(Enabled).sessions.pop(session, None)


# -- messages ----------------------------------------------------------------------------------


@feature.message(Stage.STAMP)
def strip(delivery: Delivery) -> bool:
    """Copies come from us alone: whoever sends one forges it.  True if it was nothing else."""
    children = delivery.stanza.children
    for part in children:
        if part.ns == ns.CARBONS and part.name in _WRAPPERS:
            break
    else:
        return False
    kept = tuple([p for p in children if p.ns != ns.CARBONS or p.name not in _WRAPPERS])
    delivery.stanza = delivery.stanza.with_children(kept)
    return not kept


@feature.sent
def copy_sent(sent: Sent) -> None:
    """To the sender's other devices (§8)."""
    sender = sent.session
    wanting = [s for s in sender.account.state(Enabled).sessions if s is not sender]
    # What goes to the own account is known to its devices when it has been delivered.
    if wanting and sent.to.bare != sender.jid.bare:
        account = sender.account
        if _is_eligible(account, sent.stanza, sent.type, sent.to):
            kept = keeping.stamped(sent.stanza, keeping.sent_id(sent.host, sender))
            wanting = _in_the_same_place(sender, sent.to, wanting)
            if wanting:
                _copy("sent", account, kept, sent.to, wanting)


def _in_the_same_place(sender: Session, to: JID, wanting: list[Session]) -> list[Session]:
    """Private words in a room are for the devices that are there under the same nick (§6.1)."""
    place = address_in(sender, to.bare) if to.resource else None
    if place is None:
        return wanting
    return [other for other in wanting if address_in(other, to.bare) == place]


@feature.message(Stage.COPY)
def copy_received(delivery: Delivery) -> None:
    """To those devices of the recipient that do not get the message itself (§7)."""
    account, stanza, sender = delivery.account, delivery.stanza, delivery.sender
    wanting = account.state(Enabled).sessions if account is not None else None
    if account is None or not wanting:
        return
    getting = recipients(delivery)
    others = [s for s in wanting if s not in getting and s is not delivery.session]
    if not others:
        return
    if not getting and delivery.type == "normal" and delivery.to.resource:
        return  # it is about to be refused
    if _is_from_occupant(stanza, sender) or _are_in_its_room(getting, sender):
        return
    if _is_eligible(account, stanza, delivery.type, sender):
        direction = "sent" if sender.bare == delivery.to.bare else "received"
        _copy(direction, account, stanza, sender, others)


@feature.refused
def copy_refusal(_host: Host, session: Session, answer: Stanza) -> None:
    """Devices that saw the message go hear that it did not arrive."""
    account = session.account
    others = [s for s in account.state(Enabled).sessions if s is not session]
    if not others or answer.sender is None:
        return
    try:
        refuser = JID.parse(answer.sender)
    except InvalidJID:  # it went to no address, and nobody has a copy
        return
    if _is_eligible(account, answer, "error", refuser):
        _copy("received", account, answer, refuser, others)


def _is_eligible(account: Account, stanza: Stanza, type: str, other: JID) -> bool:
    """The rules of §6.1; `other` is who it goes to or comes from."""
    if type == "groupchat":
        return False
    eligible = type == "chat"
    for part in stanza.children:
        namespace = part.ns
        if namespace == ns.CLIENT:
            eligible = eligible or (part.name == "body" and type == "normal")
        elif namespace == ns.CARBONS or (namespace == ns.HINTS and part.name == "no-copy"):
            return False
        elif namespace in _CONVERSATION or namespace == ns.CONFERENCE or is_invitation(part):
            eligible = True
    if type == "error":
        return (other.bare, stanza.id) in account.state(Copied).last
    return eligible


def _is_from_occupant(stanza: Stanza, sender: JID) -> bool:
    """Whether it comes from somebody in a room: the room itself sends it to all who are there."""
    room = stanza.child(ns.MUC_USER, "x") if sender.resource else None
    return room is not None and not is_invitation(room) and stanza.type != "error"


def _are_in_its_room(getting: list[Session], sender: JID) -> bool:
    """Whether it comes from somebody in a room that does not say so: its clients are there."""
    if not sender.resource:
        return False
    return any(address_in(one, sender.bare) is not None for one in getting)


def _copy(
    direction: str, account: Account, stanza: Stanza, other: JID, sessions: list[Session]
) -> None:
    if stanza.id is not None:
        account.state(Copied).last.append((other.bare, stanza.id))
    forwarded = el("forwarded", stanza.standalone(), xmlns=ns.FORWARD)
    attrs = {"from": sessions[0].jid.bare}
    if stanza.type is not None:
        attrs["type"] = stanza.type
    before, after = Stanza("message", attrs, (child(ns.CARBONS, direction, forwarded),)).around()
    head, tail = before.encode(), after.encode()
    for session in sessions:
        data = head + escape_attribute(session.jid.full).encode() + tail
        session.deliver(stanza, data, copied=True)


def _since(session: Session) -> float:
    return session.account.state(Enabled).sessions.get(session, 0.0)


def _unpack(_host: Host, session: Session, since: float) -> None:
    session.account.state(Enabled).sessions[session] = since


feature.keeps("carbons", _since, _unpack)
