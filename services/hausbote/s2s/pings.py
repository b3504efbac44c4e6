"""Asks peers without stream management what has arrived: a ping behind it (XEP-0199).

The answer may come over another stream than the one that was asked.
"""

from typing import Final

import gevent

from hausbote.base.jid import JID
from hausbote.base.tokens import token
from hausbote.s2s.stream import PeerStream
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Stanza, child, stanza

_PAUSE: Final = 0.3  # seconds that a question may wait for further stanzas
_PREFIX: Final = "hop-"


class Pings:
    """Open questions by id: the stream, and up to where of what was sent it is about."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[PeerStream, int]] = {}

    def ask(self, stream: PeerStream) -> None:
        """Soon."""
        gevent.spawn_later(_PAUSE, self._ask, stream)

    def _ask(self, stream: PeerStream) -> None:
        if stream.closed:
            return
        id = _PREFIX + token(96)
        self._open[id] = stream, stream.sent.place
        question = child(ns.PING, "ping")
        iq = stanza("iq", question, type="get", id=id, from_=stream.local, to=stream.remote)
        stream.connection.write(iq.wire())

    def take(self, stanza: Stanza, sender: JID, to: JID) -> bool:
        """Whether the stanza answers a question of ours; an error is an answer, too."""
        id = stanza.id or ""
        if not id.startswith(_PREFIX) or stanza.name != "iq" or stanza.type in ("get", "set"):
            return False
        stream, place = self._open.get(id, (None, 0))
        if stream is None or (sender.full, to.full) != (stream.remote, stream.local):
            return False
        del self._open[id]
        stream.answers = True
        stream.deaf = False  # late is not never: from now on it is asked again
        stream.answered(place)
        return True

    def forget(self, stream: PeerStream) -> None:
        """It is closed."""
        for id in [id for id, (asked, _) in self._open.items() if asked is stream]:
            del self._open[id]
