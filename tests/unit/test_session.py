"""What a session sends, keeps back and drops, without a server."""

from types import SimpleNamespace

import pytest

from hausbote.base.jid import JID
from hausbote.base.settings import Settings
from hausbote.core.directory import Account
from hausbote.core.feature import Moment
from hausbote.core.registry import Registry
from hausbote.core.session import Session
from hausbote.features import client_state
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Stanza, child, stanza

STAMP = b"<delay xmlns='urn:xmpp:delay' from='h' stamp='1970-01-01T00:00:00.000Z'/>"


class Wire:
    """A transport that notes what is sent."""

    def __init__(self):
        self.closed = False
        self.sent = []

    def send(self, data):
        self.sent.append(data)


@pytest.fixture
def session():
    return Session(JID.parse("juliet@h/phone"), Account("juliet"), Wire())


@pytest.fixture
def host(tmp_path):
    settings = Settings.from_dict({"domain": "h"}, tmp_path)
    return SimpleNamespace(domain="h", settings=settings, clock=lambda: 0.0)


@pytest.fixture
def inactive(session, host):
    handler = Registry([client_state.feature]).nonzas[ns.CSI, "inactive"]
    handler(host, session, Stanza("inactive", {}, ns=ns.CSI))
    return session


def presence(*children, type=None):
    return stanza("presence", *children, from_="romeo@h/x", to="juliet@h", type=type)


def happens(moment, session, host):
    for hook in Registry([client_state.feature]).hooks(moment):
        hook(host, session)


def test_a_copy_does_not_overtake_older_messages(session):
    session.hold()
    message = stanza("message", from_="romeo@h/x", to="juliet@h/desk")
    assert session.deliver(message, b"<copy/>", copied=True)
    assert session.deliver(message, b"<message/>")
    assert session.transport.sent == []
    assert session.release() == []
    assert session.transport.sent == [b"<copy/>", b"<message/>"]


def test_nobody_is_told_of_a_copy_that_did_not_arrive(session):
    session.hold()
    message = stanza("message", from_="romeo@h/x", to="juliet@h/desk")
    session.deliver(message, b"<copy/>", copied=True)
    session.deliver(message, b"<message/>")
    session.transport.closed = True
    assert [message for message, _ in session.release()] == [message]


@pytest.mark.parametrize(
    ("waits", "sent"),
    [
        (presence(), b"<presence from='romeo@h/x' to='juliet@h'>" + STAMP + b"</presence>"),
        (
            presence(child(ns.CLIENT, "show", "away")),
            presence(child(ns.CLIENT, "show", "away")).wire().removesuffix(b"</presence>")
            + STAMP
            + b"</presence>",
        ),
        (presence(child(ns.DELAY, "delay")), presence(child(ns.DELAY, "delay")).wire()),
    ],
)
def test_what_waited_says_when_it_came(inactive, host, waits, sent):
    inactive.send(waits)
    assert inactive.transport.sent == []
    happens(Moment.RESUMED, inactive, host)
    assert inactive.transport.sent == [sent]


def test_a_resumed_session_is_active(inactive, host):
    happens(Moment.RESUMED, inactive, host)
    inactive.send(presence())
    assert inactive.transport.sent == [presence().wire()]


def test_a_session_that_ended_keeps_nothing(inactive, host):
    inactive.send(presence())
    inactive.gone = True
    happens(Moment.GONE, inactive, host)
    assert inactive.keeper is None
    assert inactive.transport.sent == []


def test_bytes_alone_never_wait(inactive):
    inactive.send(presence())
    inactive.write(b"<message/>")
    assert inactive.transport.sent[1:] == [b"<message/>"]


def test_what_was_replaced_does_not_count(inactive, host):
    limit = host.settings.limits.held_bytes
    for _ in range(limit // len(presence().wire()) + 10):
        inactive.send(presence())
    assert inactive.transport.sent == []
