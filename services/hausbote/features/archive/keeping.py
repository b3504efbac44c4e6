"""Puts messages into the archives of both sides, and says under which id (XEP-0313, 0359, 0334).

One row and one ticket for a message between two people of the box.  If there is no room for it, it
is refused: to be safe is what its sender was promised.  If the disk fails only afterwards, the
message arrives all the same where somebody is there, and its sender is told that it is not kept
(`core.writes`).  What is refused at once, such as a message to nobody, is in no archive.
"""

from hausbote.base.jid import JID
from hausbote.core.delivery import Delivery, Sent
from hausbote.core.feature import Feature, Stage
from hausbote.core.handled import earlier_id, name_for
from hausbote.core.host import Host
from hausbote.core.session import Session
from hausbote.core.space import keep_for
from hausbote.features.archive import ids
from hausbote.features.archive.preferences import wants
from hausbote.features.archive.readers import reads_now, start_reading
from hausbote.features.archive.rules import is_worth_keeping
from hausbote.features.archive.tombstones import bury
from hausbote.xmpp import ns
from hausbote.xmpp.errors import Forbidden
from hausbote.xmpp.stanza import Child, Stanza

feature = Feature(
    "archive",
    xeps={"0313": "1.1.3", "0334": "1.0.0", "0359": "0.7.0", "0424": "0.4.2"},
    partial={"0313": "archives of accounts and rooms; nodes have none"},
    disco=(ns.STANZA_ID, ns.RETRACT),
    account_disco=(ns.STANZA_ID, f"{ns.RETRACT}#tombstone"),
)


class _Outgoing:
    """What is decided of the message that a session sends just now.

    `worth` is whether it belongs into archives, `id` its id if its sender keeps it, or else 0.
    """

    __slots__ = ("id", "worth")

    def __init__(self) -> None:
        self.worth = False
        self.id = 0


def sent_id(host: Host, session: Session) -> Child | None:
    """The <stanza-id/> in its sender's archive of the message that a session sends just now; for
    copies to the sender's other clients, and for nobody else (XEP-0313 §3.5)."""
    id = session.state(_Outgoing).id
    return ids.stanza_id(host, session.jid.local, id) if id else None


@feature.sent
def note(sent: Sent) -> None:
    """Decide for the sender; what goes to people of this service is written with their entry."""
    host, session, to = sent.host, sent.session, sent.to
    for part in sent.stanza.children:
        if part.ns == ns.MAM and part.name == "result":
            raise Forbidden("only an archive tells what is in it")
    outgoing = session.state(_Outgoing)
    here = to.domain == host.domain
    outgoing.worth = is_worth_keeping(sent.stanza, sent.type) and not (
        here and _is_refused(host, to, sent.type)
    )
    outgoing.id = 0
    if outgoing.worth and wants(host, session.jid.local, to):
        outgoing.id = host.store.archives.next_id()
        if not here:
            entries = [(session.jid.local, to.bare)]
            wire = sent.stanza.wire()
            keep_for(host, session.jid, len(wire))
            sent.tickets.append(host.store.archives.keep(outgoing.id, wire, entries))
            bury(host, sent.stanza, entries, sent.tickets)


@feature.message(Stage.ARCHIVE)
def keep(delivery: Delivery) -> None:
    """One entry for each side that wants it; the recipient's clients learn theirs."""
    host, session, sender, to = delivery.host, delivery.session, delivery.sender, delivery.to
    stanza = delivery.stanza
    name = name_for(to.local, "archive") if session is None else 0
    earlier = earlier_id(host, name)
    if earlier is not None:  # this service was killed in the middle of it
        delivery.stanza = stamped(stanza, ids.stanza_id(host, to.local, earlier))
        return
    id, entries = 0, []
    if session is not None:
        outgoing = session.state(_Outgoing)
        if not outgoing.worth:
            return
        id = outgoing.id
        if id:
            entries.append((session.jid.local, to.bare))
    elif not is_worth_keeping(stanza, delivery.type) or _is_refused(host, to, delivery.type):
        return
    if (session is None or session.jid.bare != to.bare) and wants(host, to.local, sender):
        id = id or host.store.archives.next_id()
        entries.append((to.local, sender.bare))
    if not entries:
        return
    wire = stanza.wire()
    keep_for(host, sender, len(wire))
    delivery.tickets.append(host.store.archives.keep(id, wire, entries, name))
    bury(host, stanza, entries, delivery.tickets)
    if entries[-1][0] == to.local:
        delivery.stanza = stamped(stanza, ids.stanza_id(host, to.local, id))


def _is_refused(host: Host, to: JID, type: str) -> bool:
    """Whether a message to this service or its people will come back at once (RFC 6121 §8.5)."""
    if not to.local:
        return True
    account = host.directory.online(to.local)
    if type == "normal" and to.resource:
        session = account.sessions.get(to.resource) if account is not None else None
        return session is None or not session.reachable
    return account is None and not host.is_account(to.local)


def stamped(stanza: Stanza, id: Child | None) -> Stanza:
    """The message with its id; as it is if it has none."""
    if id is None:
        return stanza
    return Stanza(stanza.name, stanza.attrs, (*stanza.children, id), stanza.inner + id.xml)


feature.keeps("archive", reads_now, start_reading)
