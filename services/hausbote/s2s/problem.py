"""Why there is no stream with another server, as a word for programs and a sentence for people."""

import re
from enum import Enum
from typing import Final

from hausbote.base.log import Event, Sentence, Word, log
from hausbote.storage import Certificate
from hausbote.xmpp.errors import NotAllowed, RemoteServerNotFound, RemoteServerTimeout, StanzaError

_UNSEEN: Final = re.compile(r"[^\w .,:;'()\[\]/_*&+=!?-]")


class Kind(Enum):
    """What becomes of messages: only for a server that is away they wait."""

    DENIED = "by our settings"
    NOWHERE = "there is no such server"
    REFUSED = "one of the two servers does not accept the other"
    AWAY = "it cannot be reached now"


class Problem(Exception):
    """`cause` is a technical word, `sentence` for the owner."""

    def __init__(
        self, kind: Kind, cause: str, sentence: str, certificate: Certificate | None = None
    ) -> None:
        super().__init__(cause)
        self.kind = kind
        self.cause = cause
        self.sentence = sentence
        self.certificate = certificate or Certificate()

    def answer(self) -> StanzaError:
        """What a sender is told (RFC 6120 §8.3.3.16, §8.3.3.17)."""
        if self.kind is Kind.DENIED:
            return NotAllowed("this server does not talk with that one")
        if self.kind is Kind.NOWHERE:
            return RemoteServerNotFound(self.sentence)
        return RemoteServerTimeout(self.sentence)

    def tell(self, domain: str) -> None:
        """Write it into the log."""
        refused = self.kind in (Kind.DENIED, Kind.REFUSED)
        event = Event.PEER_REFUSED if refused else Event.PEER_UNREACHABLE
        log(event, domain=word(domain), cause=Word(self.cause), why=sentence(self.sentence))


def away(cause: str, sentence: str) -> Problem:
    """The server is there, or should be, and no stream comes about now."""
    return Problem(Kind.AWAY, cause, sentence)


def word(domain: str) -> Word:
    """A domain for the log, as DNS writes it."""
    try:
        return Word(domain.encode("idna").decode() if not domain.isascii() else domain)
    except (ValueError, UnicodeError):
        return Word("unprintable")


def sentence(text: str) -> Sentence:
    return Sentence(harmless(text, 500))


def harmless(text: str, length: int = 120) -> str:
    """Words of a peer as far as they may be shown: no address, nothing that moves a cursor."""
    return _UNSEEN.sub("?", text)[:length]
