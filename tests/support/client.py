"""A small XMPP client for scenes: logs in for real, sends raw XML, compares what comes."""

import base64
import time

from lxml import etree

from support.patterns import CLIENT, matches, parse, shown
from support.scram_client import ScramClient

STREAM = "http://etherx.jabber.org/streams"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
PATIENCE = 5.0


class Client:
    """One stream; `domain` is the server's."""

    def __init__(self, wire, domain):
        self.wire = wire
        self.domain = domain
        self.jid = ""
        self.ended = False
        self._inbox: list[etree._Element] = []
        self._pings = 0
        self._restart()

    # -- the stream ----------------------------------------------------------------------------

    def _restart(self):
        self._parser = etree.XMLPullParser(events=("start", "end"))
        self._depth = 0
        self.header = None

    def send(self, text: str) -> None:
        self.wire.send(text.encode())

    def open(self, **attributes) -> etree._Element:
        """Send a stream header; returns the server's features."""
        self._restart()
        attributes = {"to": self.domain, "version": "1.0", "xml:lang": "en"} | attributes
        written = "".join(f" {k}='{v}'" for k, v in attributes.items() if v is not None)
        self.send(
            f"<?xml version='1.0'?><stream:stream{written} xmlns='{CLIENT}' xmlns:stream='{STREAM}'>"
        )
        return self.next()

    def next(self, seconds: float = PATIENCE) -> etree._Element | None:
        """The next element on the stream; None at its end or when nothing comes in time."""
        deadline = time.monotonic() + seconds
        while not self._inbox and not self.ended:
            left = deadline - time.monotonic()
            data = self.wire.recv(left) if left > 0 else None
            if data is None:
                return None
            if data == b"":
                self.ended = True
            else:
                self._feed(data)
        return self._inbox.pop(0) if self._inbox else None

    def _feed(self, data: bytes) -> None:
        self._parser.feed(data)
        for event, element in self._parser.read_events():
            if event == "start":
                self._depth += 1
                if self._depth == 1:
                    self.header = element
            else:
                self._depth -= 1
                if self._depth == 1:
                    self._inbox.append(element)
                elif self._depth == 0:
                    self.ended = True

    # -- logging in ----------------------------------------------------------------------------

    def secure(self, **attributes) -> etree._Element:
        """Up to the features after TLS; each header has these attributes."""
        features = self.open(**attributes)
        if self.wire.needs_tls:
            self.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
            assert self.next().tag.endswith("}proceed")
            self.wire.secure()
            features = self.open(**attributes)
        return features

    def authenticate(self, scram: ScramClient, mechanism: str) -> etree._Element:
        """The server's last word: <success/> or <failure/>."""
        first = base64.b64encode(scram.first()).decode()
        self.send(f"<auth xmlns='{SASL}' mechanism='{mechanism}'>{first}</auth>")
        answer = self.next(12)
        if answer.tag == f"{{{SASL}}}challenge":
            final = base64.b64encode(scram.final(base64.b64decode(answer.text))).decode()
            self.send(f"<response xmlns='{SASL}'>{final}</response>")
            answer = self.next(12)
        if answer.tag == f"{{{SASL}}}success":
            scram.verify(base64.b64decode(answer.text))
        return answer

    def log_in(self, user, password, resource=None, mechanism="SCRAM-SHA-256") -> "Client":
        """All the way to a bound resource."""
        self.secure()
        answer = self.authenticate(ScramClient(user, password, mechanism), mechanism)
        assert answer.tag == f"{{{SASL}}}success", shown(answer)
        self.open()
        self.bind(resource)
        return self

    def bind(self, resource=None) -> etree._Element:
        wanted = f"<resource>{resource}</resource>" if resource else ""
        self.send(
            f"<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>{wanted}</bind></iq>"
        )
        answer = self.next()
        self.jid = answer.findtext(".//{urn:ietf:params:xml:ns:xmpp-bind}jid") or ""
        return answer

    # -- in scenes -----------------------------------------------------------------------------

    @property
    def bare(self) -> str:
        return self.jid.partition("/")[0]

    def sends(self, *stanzas: str) -> None:
        for stanza in stanzas:
            self.send(stanza)

    def receives(self, *patterns: str) -> etree._Element:
        """The next stanzas are these, in this order; returns the last."""
        for pattern in patterns:
            actual = self.next()
            assert actual is not None, f"nothing came, but this should have: {pattern}"
            assert matches(parse(pattern), actual), f"{shown(actual)}\nis not {pattern}"
        return actual

    def receives_any_order(self, *patterns: str) -> None:
        """The next stanzas are these, in whatever order."""
        wanted = list(patterns)
        while wanted:
            actual = self.next()
            assert actual is not None, f"nothing came, but these should have: {wanted}"
            found = [one for one in wanted if matches(parse(one), actual)]
            assert found, f"{shown(actual)}\nis none of {wanted}"
            wanted.remove(found[0])

    def receives_nothing(self) -> None:
        """Nothing comes before the answer to a ping that is sent now."""
        self.settle()
        assert not self._inbox, f"this came: {[shown(one) for one in self._inbox]}"

    def settle(self) -> None:
        """Return when the server has dealt with everything sent so far."""
        for target in (self.domain, self.bare):
            self._pings += 1
            id = f"settle-{self._pings}"
            self.send(f"<iq type='get' id='{id}' to='{target}'><ping xmlns='urn:xmpp:ping'/></iq>")
            kept = []
            while True:
                stanza = self.next()
                assert stanza is not None, "the server does not answer"
                if stanza.get("id") == id:
                    break
                kept.append(stanza)
            self._inbox = kept + self._inbox

    def answer(self, id: str) -> etree._Element:
        """The answer to an IQ; what came before it can still be received."""
        kept = []
        while True:
            stanza = self.next()
            assert stanza is not None, f"{id} is not answered"
            if stanza.get("id") == id and stanza.tag == f"{{{CLIENT}}}iq":
                break
            kept.append(stanza)
        self._inbox = kept + self._inbox
        return stanza

    def settle_with(self, room) -> None:
        """Return when the room has dealt with everything sent so far."""
        self._pings += 1
        id = f"settle-{self._pings}"
        to = room.jid.partition("@")[2]
        self.send(f"<iq type='get' id='{id}' to='{to}'><ping xmlns='urn:xmpp:ping'/></iq>")
        self.answer(id)

    def came(self) -> list[etree._Element]:
        """Everything that the server said so far; it is not received again."""
        self.settle()
        found, self._inbox = self._inbox, []
        return found

    def unread(self, stanzas) -> None:
        """They are received next, as if they came now."""
        self._inbox[:0] = stanzas

    def forget(self) -> None:
        """Drop what came so far."""
        self.settle()
        self._inbox.clear()

    def is_ended_with(self, condition: str) -> None:
        """The stream ends with that error, and the connection with it."""
        error = self.next()
        while error is not None and error.tag != f"{{{STREAM}}}error":
            error = self.next()
        assert error is not None, f"no stream error came, but {condition} should have"
        assert error[0].tag == f"{{urn:ietf:params:xml:ns:xmpp-streams}}{condition}", shown(error)
        self.is_closed()

    def is_closed(self) -> None:
        """The server closed its stream and the connection."""
        while self.next() is not None:
            pass
        assert self.ended
        deadline = time.monotonic() + PATIENCE
        while (data := self.wire.recv(0.5)) != b"":
            assert data is not None or time.monotonic() < deadline, "the connection stays open"

    def leaves(self) -> None:
        """Close the stream as clients should."""
        self.send("</stream:stream>")
        while self.next() is not None:
            pass
        self.wire.cut()
