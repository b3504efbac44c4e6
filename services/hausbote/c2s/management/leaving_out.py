"""What waits for clients and must not be on a disk, not even while the service is restarted.

That is messages whose senders say so (<no-store/>, XEP-0334 §4.2), copies of them, and credentials
for the relay.  Something missing stands in their place: whether the client had got them is told by
its count when it comes back (`Unacked.forget_missing`).
"""

from typing import Final

from hausbote.c2s.management.managed import Managed
from hausbote.core.host import Host
from hausbote.core.session import Session
from hausbote.features.archive.rules import is_for_now_only
from hausbote.features.undelivered import give_up
from hausbote.xmpp import ns
from hausbote.xmpp.acks import Sent, missing
from hausbote.xmpp.errors import RemoteServerTimeout
from hausbote.xmpp.stanza import Child, Stanza, error, start_tag

# As we write it, everywhere: an element tells its own namespace, and text has no angle brackets.
_NO_STORE: Final = f"<no-store xmlns='{ns.HINTS}'".encode()
_SERVICES: Final = f"='{ns.EXTERNAL_SERVICES}'".encode()
_SECRET: Final = b" password='"


def leave_out(host: Host, asleep: list[Managed]) -> None:
    """Take it out of what waits for these sessions.

    A message that no client of its account has got is given up: its sender hears so.
    """
    lost: dict[int, tuple[Sent, list[Session]]] = {}  # by the identity of the message
    for managed in asleep:
        session = managed.session
        assert session.acks is not None
        queue = session.acks.unacked.queue
        for place, sent in enumerate(queue):
            if _is_message_for_now(sent):
                queue[place] = missing(sent.at)
                if sent.stanza is not None:
                    lost.setdefault(id(sent.stanza), (sent, []))[1].append(session)
            elif _has_credentials(sent) and (attrs := _attributes(sent)).get("from") == host.domain:
                queue[place] = _ask_again(attrs, sent.at)
    for sent, sessions in lost.values():
        assert sent.stanza is not None
        give_up(host, sessions, sent.stanza, sent.at)


def _is_message_for_now(sent: Sent) -> bool:
    """Hints in errors mean nothing (XEP-0334 §5); copies are known by their bytes only."""
    message = sent.stanza
    if message is not None:
        return message.name == "message" and message.type != "error" and is_for_now_only(message)
    return sent.data.startswith(b"<message") and _NO_STORE in sent.data


def _has_credentials(sent: Sent) -> bool:
    return sent.data.startswith(b"<iq") and _SERVICES in sent.data and _SECRET in sent.data


def _attributes(sent: Sent) -> dict[str, str]:
    return start_tag(Child(ns.CLIENT, "iq", sent.data.decode()))


def _ask_again(attrs: dict[str, str], at: float) -> Sent:
    """Instead of an answer one that makes the client ask again; nothing instead of a push."""
    if attrs.get("type") != "result":
        return missing(at)
    question = Stanza("iq", {"id": attrs["id"], "from": attrs["to"], "to": attrs["from"]})
    sorry = RemoteServerTimeout("the server was restarted: ask again")
    return Sent(error(question, sorry).wire(), at, None)
