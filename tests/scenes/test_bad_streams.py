"""Input that nobody should send: the named error, a closed stream, and nobody else notices."""

import time
from contextlib import suppress

import pytest

from support.client import STREAM
from support.worlds import PASSWORD

BAD = [
    ("<!DOCTYPE x [<!ENTITY a 'b'>]>", "restricted-xml"),
    ("<message><body>&lol;</body></message>", "restricted-xml"),
    ("<!-- hello -->", "restricted-xml"),
    ("<message><!-- hello --></message>", "restricted-xml"),
    ("<?php x?>", "restricted-xml"),
    ("<message><body></message>", "not-well-formed"),
    ("<message to=a/>", "not-well-formed"),
    ("<message to='a' to='b'/>", "not-well-formed"),
    ("<message xmlns:a='u' xmlns:b='u' a:x='1' b:x='2'/>", "not-well-formed"),
    ("<message><un:bound/></message>", "not-well-formed"),
    ("<message><a:b:c xmlns:a='u'/></message>", "not-well-formed"),
    ("<message><body>\x01</body></message>", "not-well-formed"),
    ("</message>", "not-well-formed"),
    ("text between stanzas", "bad-format"),
    ("<message>" + "<a>" * 200, "policy-violation"),
    ("<message " + " ".join(f"a{n}='x'" for n in range(200)) + "/>", "policy-violation"),
    ("<message " + "a" * 20_000, "policy-violation"),
    ("<message><body>" + "x" * 300_000, "policy-violation"),
    ("<message>" + "".join(f"<n{n}/>" for n in range(15_000)) + "</message>", "policy-violation"),
    ("<message>" + f"<{'n' * 600}/>" + "</message>", "policy-violation"),
]


@pytest.mark.parametrize(
    ("bad", "condition"), BAD, ids=[f"{n}-{c}" for n, (_, c) in enumerate(BAD)]
)
def test_bad_xml_ends_the_stream_and_nobody_else_notices(cast, bad, condition):
    mercutio, romeo, juliet = cast("mercutio", "romeo", "juliet")
    with suppress(BrokenPipeError):  # the server may close in the middle of it
        mercutio.sends(bad)
    mercutio.is_ended_with(condition)
    romeo.sends("<message to='juliet@h' type='chat'><body>Still here</body></message>")
    juliet.receives("<message><body>Still here</body></message>")


@pytest.mark.parametrize(
    ("bad", "condition"),
    [
        (b"<message><body>\xff\xfe</body></message>", "not-well-formed"),
        (b"<message><body>\xc0\xaf</body></message>", "not-well-formed"),
        (b"<message><body>\xed\xa0\x80</body></message>", "not-well-formed"),
    ],
)
def test_bad_utf8_ends_the_stream(cast, bad, condition):
    romeo = cast("romeo")
    romeo.wire.send(bad)
    romeo.is_ended_with(condition)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_other_encodings_are_refused(cast, encoding):
    client = cast.world.client()
    client.wire.send(
        f"<?xml version='1.0'?><stream:stream to='h' xmlns:stream='{STREAM}'>".encode(encoding)
    )
    client.is_ended_with("unsupported-encoding")


def test_before_the_login_the_limits_are_small(cast):
    client = cast.world.client()
    client.secure()
    client.send(
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>" + "A" * 20_000
    )
    client.is_ended_with("policy-violation")


def test_a_stanza_of_the_largest_size_passes(cast):
    romeo, juliet = cast("romeo", "juliet")
    body = "x" * 250_000
    romeo.sends(f"<message to='juliet@h' type='chat'><body>{body}</body></message>")
    juliet.receives(f"<message><body>{body}</body></message>")


def test_a_stanza_that_comes_byte_by_byte_is_understood(cast):
    romeo, juliet = cast("romeo", "juliet")
    for byte in "<message to='juliet@h' type='chat'><body>é&amp;</body></message>".encode():
        romeo.wire.send(bytes([byte]))
    juliet.receives("<message><body>é&amp;</body></message>")


def test_what_comes_after_the_end_of_a_stream_is_ignored(cast):
    romeo, juliet = cast("romeo", "juliet")
    romeo.sends("</stream:stream><message to='juliet@h' type='chat'><body>x</body></message>")
    romeo.is_closed()
    juliet.receives_nothing()


def test_what_came_before_the_end_of_a_stream_is_delivered(cast):
    romeo, juliet = cast("romeo", "juliet")
    romeo.sends("<message to='juliet@h' type='chat'><body>x</body></message></stream:stream>")
    juliet.receives("<message><body>x</body></message>")
    romeo.is_closed()


def test_a_rested_stream_goes_on_where_it_was(cast):
    cast.account("romeo")
    romeo = cast.world.client().log_in("romeo", PASSWORD)
    cast.clients.append(romeo)
    if cast.world.name == "memory":
        assert romeo.wire.receiver.rest()
    else:
        time.sleep(5)
    romeo.sends("<presence/>")
    romeo.receives("<presence/>")
    if cast.world.name == "memory":
        assert romeo.wire.receiver.rest()
    else:
        time.sleep(5)
    romeo.sends("</stream:stream>")
    assert romeo.next() is None
    assert romeo.ended
