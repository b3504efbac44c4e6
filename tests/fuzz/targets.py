"""What may be thrown at the parsers: each target takes any bytes and fails on broken promises.

Used by the property tests and by `run.py`, which lets a coverage-guided fuzzer choose the bytes.
"""

from xml.etree import ElementTree

from hausbote.base.jid import JID, InvalidJID, prepare_password
from hausbote.xmpp.bosh_body import BadBody, read_body
from hausbote.xmpp.errors import StreamError
from hausbote.xmpp.framing import FRAMES, FrameParser
from hausbote.xmpp.sasl import (
    Challenge,
    SaslError,
    ScramServer,
    check_token,
    decode,
    derive_keys,
    fake_keys,
    mechanisms,
)
from hausbote.xmpp.stanza import Stanza, tree
from hausbote.xmpp.stream import Closed, Opened, ParserLimits, StreamParser
from hausbote.xmpp.xml import escape_attribute
from support.trees import infoset

HEADER = (
    b"<?xml version='1.0'?><stream:stream version='1.0'"
    b" xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
)
BINDINGS = {"tls-exporter": b"\x01" * 32}
KEYS = {
    name: derive_keys("wherefore", name, salt=b"salt", iterations=1)
    for name in ("SHA-1", "SHA-256")
}


def jid(data: bytes) -> None:
    """Only InvalidJID comes out; an address that is one is a fixed point, as is a password."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        parsed = JID.parse(text)
    except InvalidJID:
        pass
    else:
        again = JID.parse(str(parsed))
        assert (again.local, again.domain, again.resource) == (
            parsed.local,
            parsed.domain,
            parsed.resource,
        )
        assert all(len(p.encode()) <= 1023 for p in (parsed.local, parsed.domain, parsed.resource))
    try:
        password = prepare_password(text)
    except InvalidJID:
        return
    assert prepare_password(password) == password


def sasl(data: bytes) -> None:
    """Only SaslError comes out, and nobody gets in without the password.

    The first byte chooses the mechanism; lines are messages, and NONCE stands for the server's.
    """
    _refused(lambda: decode(data.decode("latin-1")))
    offered = mechanisms(BINDINGS)
    scram = ScramServer(offered[len(data) and data[0] % 4], _keys, BINDINGS, "h", offered)
    token = _refused(lambda: check_token("HT-SHA-256-NONE", data[1:], lambda _: (), BINDINGS))
    assert token is None
    nonce = b""
    for line in data[1:].split(b"\n")[:4]:
        message = line.replace(b"NONCE", nonce)
        answer = _refused(lambda message=message: scram.respond(message))
        assert answer is None or isinstance(answer, Challenge)
        if answer is not None:
            nonce = answer.data.partition(b",")[0].removeprefix(b"r=")


def stream(data: bytes) -> None:
    """The same events however the bytes arrive, and stanzas that other parsers read alike.

    The first byte chooses the size of the pieces and whether a header goes ahead.
    """
    if not data:
        return
    size, document = data[0] % 16 + 1, data[1:]
    if data[0] < 128:
        document = HEADER + document
    whole = _parsed([document])
    pieces = _parsed([document[at : at + size] for at in range(0, len(document), size)])
    assert list(map(_shape, whole)) == list(map(_shape, pieces))
    for at, event in enumerate(whole):
        assert not isinstance(event, StreamError) or at == len(whole) - 1
        if isinstance(event, Stanza):
            _stands_on_its_own(event)


def frames(data: bytes) -> None:
    """One event for each frame, an error is the last, stanzas stand alone.

    The first byte means nothing; lines are frames.
    """
    parser = FrameParser(ParserLimits())
    parser.feed(FRAMES.opening({"to": "h"}))
    failed = False
    for frame in data[1:].split(b"\n"):
        events = parser.feed(frame)
        assert len(events) <= (0 if failed else 1)
        for event in events:
            failed = failed or isinstance(event, StreamError)
            if isinstance(event, Stanza):
                _stands_on_its_own(event)


def body(data: bytes) -> None:
    """Only BadBody comes out of a BOSH request; each payload is a frame, or refused as one."""
    try:
        request = read_body(data[1:], 262_144)
    except BadBody:
        return
    for payload in request.payloads:
        parser = FrameParser(ParserLimits())
        parser.feed(FRAMES.opening({"to": "h"}))
        (event,) = parser.feed(payload)
        assert isinstance(event, Stanza | Closed) or event.condition == "bad-format"


TARGETS = {"jid": jid, "sasl": sasl, "stream": stream, "frames": frames, "body": body}


def _keys(local, hash):
    return KEYS[hash] if local == "juliet" else fake_keys(b"secret", local, hash)


def _refused(step):
    try:
        return step()
    except SaslError:
        return None


def _parsed(pieces):
    parser = StreamParser(ParserLimits())
    return [event for piece in pieces for event in parser.feed(piece)]


def _shape(event):
    """An event as something to compare."""
    match event:
        case Stanza():
            return (event.ns, event.name, event.attrs, event.children, event.inner)
        case StreamError():
            return "failed"  # of two errors close together either may be told
        case Opened():
            return event.attrs
        case Closed():
            return None


def _stands_on_its_own(stanza):
    wire = stanza.wire().decode().removeprefix(f"<{stanza.name}")
    written = f"<{stanza.name} xmlns='{escape_attribute(stanza.ns)}'{wire}".encode()
    (again,) = _parsed([HEADER, written])[1:]
    assert _shape(again) == _shape(stanza)
    assert Stanza.unpack(stanza.pack()).children == stanza.children
    if b"}" in written:
        return  # the notation that trees have for names has no room for it
    read = ElementTree.fromstring(written)
    assert read.tag == _tag(stanza.ns, stanza.name)
    assert len(read.attrib) == sum(not name.startswith("xmlns:") for name in stanza.attrs)
    for child, element in zip(stanza.children, read, strict=True):
        assert element.tag == _tag(child.ns, child.name)
        assert infoset(tree(child)) == infoset(element)


def _tag(namespace, name):
    return f"{{{namespace}}}{name}" if namespace else name
