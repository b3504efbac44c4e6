"""Watches the streams: late ones end, dead ones are noticed, unused ones are closed."""

from typing import TYPE_CHECKING, Final

from hausbote.s2s.stream import UNUSED_OF_THEIRS, PeerStream
from hausbote.xmpp.errors import StreamError
from hausbote.xmpp.stream import LOGIN_SECONDS

if TYPE_CHECKING:
    from hausbote.s2s.gate import Gate

_WHITE_SPACE: Final = 240.0  # seconds without a word of ours
_SILENT: Final = 300.0  # seconds without a word of theirs, until they are asked
_ANSWER: Final = 60.0  # seconds that an answer may take
_LATE: Final = 5.0  # seconds that theirs waits for what is not safe yet
_UNUSED: Final = 900  # seconds without a stanza, until a stream of ours is closed
_FORGET: Final = 600.0  # seconds that a link without anything is remembered


class Keepalive:
    """`sweep` is called every few seconds."""

    def __init__(self, gate: "Gate") -> None:
        self._gate = gate

    def sweep(self, now: float) -> None:
        for stream in list(self._gate.streams):
            if stream.connection.closed:
                continue
            if not stream.proven:
                self._hurry(stream, now)
            elif not self._is_dead(stream, now) and not self._is_unused(stream, now):
                self._keep(stream, now)
        self._look_at_links(now)

    def _hurry(self, stream: PeerStream, now: float) -> None:
        """Of ours takes care who waits for them, and knows what to say of it."""
        if self._gate.is_incoming(stream) and now - stream.since > LOGIN_SECONDS:
            stream.end(StreamError("connection-timeout", "this took too long"))

    def _is_dead(self, stream: PeerStream, now: float) -> bool:
        """It was asked what has arrived and does not answer.

        Few servers answer neither stream management nor pings.  Only of those it is believed that
        they have what their machine has; one that has ever answered hangs, and gets it again.
        """
        if not stream.asked:
            return False
        late = now - stream.asked >= _ANSWER
        mute = not stream.managed and not stream.answers
        if mute and (late or stream.deaf) and not stream.connection.under_way:
            stream.deaf = True
            stream.answered(stream.sent.place)
        elif late:
            stream.connection.abort()
            return True
        return False

    def _is_unused(self, stream: PeerStream, now: float) -> bool:
        ours = stream.link is not None
        if now - stream.used < (_UNUSED if ours else UNUSED_OF_THEIRS) or len(stream.sent):
            return False
        stream.close()
        return True

    def _keep(self, stream: PeerStream, now: float) -> None:
        stream.received.answer_late(now - _LATE)
        silent = now - stream.heard > _SILENT and stream.managed
        if silent or len(stream.sent):
            stream.ask()
        elif now - stream.said > _WHITE_SPACE:
            stream.said = now
            stream.connection.write(b" ")
        if now - stream.heard > 2.0:
            stream.rest()

    def _look_at_links(self, now: float) -> None:
        links = self._gate.links
        for pair, link in list(links.items()):
            link.check(now)
            forgettable = link.idle and not link.is_away
            if forgettable and now - link.used > _FORGET and now > link.next_attempt:
                del links[pair]
