"""Who gets a message: the table of RFC 6121 §8.5, and what happens when nobody does.

A message for an account passes the features' stages; in between stands `deliver`.  What a stage has
begun to write to disk is in `tickets`: acknowledgements wait for these, delivery does not.
"""

from typing import TYPE_CHECKING, Final

from hausbote.base.jid import JID
from hausbote.core.bus.cause import Pending
from hausbote.core.directory import Account
from hausbote.core.session import Session
from hausbote.xmpp.errors import ServiceUnavailable
from hausbote.xmpp.stanza import Stanza

if TYPE_CHECKING:
    from hausbote.core.host import Host


_KINDS: Final = {kind: kind for kind in ("chat", "error", "groupchat", "headline", "normal")}
"""What is not among them counts as normal (RFC 6121 §5.2.2)."""


class Sent:
    """One message from a client of ours, with its from and to set.

    What a handler puts in the place of `stanza` goes on instead.
    """

    __slots__ = ("host", "session", "stanza", "tickets", "to", "type")

    def __init__(
        self, host: "Host", session: Session, stanza: Stanza, to: JID, tickets: list[Pending]
    ) -> None:
        self.host = host
        self.session = session
        self.stanza = stanza
        self.to = to
        self.type = _KINDS.get(stanza.type or "normal", "normal")
        self.tickets = tickets


class Delivery:
    """One message on its way to one local account.

    `session` is the sender's if it is a client of this service.  `at` is when the message came, in
    seconds since 1970, if that was not now.
    """

    __slots__ = ("account", "at", "host", "sender", "session", "stanza", "tickets", "to", "type")

    def __init__(
        self,
        host: "Host",
        stanza: Stanza,
        sender: JID,
        to: JID,
        session: Session | None,
        tickets: list[Pending],
    ) -> None:
        self.host = host
        self.session = session
        self.at: float | None = None
        self.stanza = stanza
        self.sender = sender
        self.to = to
        self.type = _KINDS.get(stanza.type or "normal", "normal")
        self.account: Account | None = host.directory.online(to.local)
        self.tickets = tickets


def deliver_message(delivery: Delivery) -> None:
    """Take a message through all stages; StanzaError if its sender must be told no."""
    host = delivery.host
    for handler in host.registry.before_delivery:
        if handler(delivery):
            return
    sessions = recipients(delivery)
    if sessions:
        stanza, data = delivery.stanza, delivery.stanza.wire()
        taken = [session.deliver(stanza, data) for session in sessions]
        if any(taken):
            return
    _nobody_there(delivery)


def recipients(delivery: Delivery) -> list[Session]:
    """The sessions that get the message (RFC 6121 §8.5.2.1, §8.5.3)."""
    account = delivery.account
    if account is None:
        return []
    resource = delivery.to.resource
    if resource:
        session = account.sessions.get(resource)
        if session is not None and session.reachable:
            return [session]
        if delivery.type != "chat":
            return []
    elif delivery.type in ("groupchat", "error"):
        return []
    return [s for s in account.sessions.values() if s.presence is not None and s.priority >= 0]


def _nobody_there(delivery: Delivery) -> None:
    """RFC 6121 §8.5.2.2 and §8.5.3.2; whether the account exists is only asked for here."""
    kind = delivery.type
    if kind == "error":
        return
    if delivery.account is None and not delivery.host.is_account(delivery.to.local):
        raise ServiceUnavailable
    if kind == "headline":
        return
    if kind == "chat" or (kind == "normal" and not delivery.to.resource):
        for handler in delivery.host.registry.absent:
            if handler(delivery):
                return
    raise ServiceUnavailable
