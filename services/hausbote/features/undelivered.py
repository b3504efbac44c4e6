"""What becomes of a message that a client was to get and never did.

It goes to those clients of the account that have not seen it, or else where it would have gone if
nobody had been there, with the time when it came (XEP-0203); its sender hears no if it cannot.
"""

from collections.abc import Collection, Sequence
from typing import Final

from hausbote.base.clock import timestamp
from hausbote.base.jid import JID
from hausbote.core.delivery import Delivery
from hausbote.core.directory import Account
from hausbote.core.dispatch import refuse
from hausbote.core.host import Host
from hausbote.core.session import Session
from hausbote.core.writes import Writes
from hausbote.features import carbons
from hausbote.features.archive import ids
from hausbote.features.archive.readers import reads
from hausbote.features.blocklist import blocks
from hausbote.features.received import was_received
from hausbote.xmpp import ns
from hausbote.xmpp.errors import ServiceUnavailable
from hausbote.xmpp.stanza import Stanza, child

_KINDS: Final = ("chat", "normal")


def hand_on(host: Host, session: Session, message: Stanza, at: float) -> None:
    """`session` never got the message, which came at that time, in seconds since 1970."""
    delivery = _delivery(host, session.account, message, at)
    if delivery is None:
        return
    others = _others(session.account, [session])
    data = late(host, message, at).wire() if others else b""
    taken = [
        _has_seen(other, delivery, at) or other.deliver(message, data, at=at) for other in others
    ]
    if any(taken):
        return
    was_for_all = not others and not delivery.to.resource and was_received(session.account, at)
    if was_for_all and is_archived(host, session.account.local, message):
        return
    _treat_as_absent(delivery)


def give_up(host: Host, sessions: Sequence[Session], message: Stanza, at: float) -> None:
    """None of these sessions of an account will get the message, and nobody else may be given it:
    unless another client has it already, it is as if nobody were there."""
    account = sessions[0].account
    delivery = _delivery(host, account, message, at)
    if delivery is None:
        return
    if not any(_has_seen(other, delivery, at) for other in _others(account, sessions)):
        _treat_as_absent(delivery)


def _delivery(host: Host, account: Account, message: Stanza, at: float) -> Delivery | None:
    """The message on its way once more; None if there is nothing more to be done for it."""
    if message.type == "groupchat":  # the room has it, and it may be one that many share
        return None
    sender, to = JID.parse(message.attrs["from"]), JID.parse(message.attrs["to"])
    delivery = Delivery(host, message, sender, to, None, [])
    delivery.at = at
    if delivery.type not in _KINDS:
        return None
    deleted = not host.directory.is_current(account)
    if deleted or blocks(host, to.local, sender):  # since it came
        refuse(host, message, ServiceUnavailable())
        return None
    return delivery


def _others(account: Account, sessions: Collection[Session]) -> list[Session]:
    available = [other for other in account.available() if other not in sessions]
    return [other for other in available if other.priority >= 0 and other.reachable]


def _treat_as_absent(delivery: Delivery) -> None:
    host, message = delivery.host, delivery.stanza
    for handler in host.registry.absent:
        if handler(delivery):
            Writes(host, delivery.tickets, refuse, message)
            return
    refuse(host, message, ServiceUnavailable())


def _has_seen(other: Session, delivery: Delivery, at: float) -> bool:
    """Itself, as a copy (XEP-0280), or in the archive when it came."""
    host, message, to = delivery.host, delivery.stanza, delivery.to
    if other.ready_since > at:
        return reads(host, other) and is_archived(host, other.account.local, message)
    if not to.resource:  # all got it who were there
        return True
    return carbons.had_copy(other, message, delivery.type, delivery.sender, at)


def is_archived(host: Host, local: str, message: Stanza) -> bool:
    """Whether it is in its recipient's archive still; only we can have written such an id."""
    claimed = ids.claimed(message, f"{local}@{host.domain}")
    id = ids.unseal(host, local, claimed) if claimed else None
    return id is not None and host.store.archives.has(local, [id])


def late(host: Host, message: Stanza, at: float) -> Stanza:
    """The message with the time when it came."""
    delay = child(ns.DELAY, "delay", from_=host.domain, stamp=timestamp(at))
    return message.with_children((*message.children, delay))
