"""What a push notification tells, by setting."""

import pytest

from hausbote.features.push import wake
from hausbote.xmpp.stanza import Child, stanza
from hausbote.xmpp.xml import el
from support.component import Component
from support.worlds import PASSWORD, MemoryWorld

FIELDS = ("message-count", "last-message-sender", "last-message-body")


@pytest.fixture
def verona(request, tmp_path):
    world = MemoryWorld(tmp_path, push={"summary": request.param})
    for local in ("romeo", "juliet"):
        world.add_account(local)
    yield world
    world.close()


def told(bridge):
    query = bridge.next()
    fields = {
        field.get("var"): field.findtext("{jabber:x:data}value")
        for field in query.iter("{jabber:x:data}field")
    }
    fields.pop("FORM_TYPE", None)
    bridge.sends(f"<iq type='result' id='{query.get('id')}' from='bridge.h' to='h'/>")
    bridge.settle()
    return fields


@pytest.mark.parametrize(
    ("verona", "expected"),
    [
        ("none", {}),
        ("count", {"message-count": "1"}),
        ("sender", {"message-count": "1", "last-message-sender": "romeo@h/x"}),
        ("body", dict(zip(FIELDS, ("1", "romeo@h/x", "Hark!"), strict=True))),
    ],
    indirect=["verona"],
)
def test_a_notification_tells_what_the_setting_says(verona, expected):
    bridge = Component(verona.component_wire(), "bridge.h")
    bridge.attach()
    romeo = verona.client().log_in("romeo", PASSWORD, "x")
    juliet = verona.client().log_in("juliet", PASSWORD, "phone")
    juliet.sends("<iq type='set' id='e'><enable xmlns='urn:xmpp:push:0' jid='bridge.h'/></iq>")
    juliet.receives("<iq type='result' id='e'/>")
    juliet.leaves()
    romeo.sends("<message to='juliet@h' type='chat'><body>Hark!</body></message>")
    assert told(bridge) == expected
    if expected:
        romeo.sends("<message to='juliet@h' type='chat'><body>Hark!</body></message>")
        assert told(bridge) == expected | {"message-count": "2"}


@pytest.mark.parametrize("verona", ["count"], indirect=True)
def test_a_session_that_sleeps_is_woken_by_its_keeper(verona):
    bridge = Component(verona.component_wire(), "bridge.h")
    bridge.attach()
    romeo = verona.client().log_in("romeo", PASSWORD, "x")
    juliet = verona.client().log_in("juliet", PASSWORD, "phone")
    juliet.sends("<presence/>")
    juliet.sends("<iq type='set' id='e'><enable xmlns='urn:xmpp:push:0' jid='bridge.h'/></iq>")
    juliet.settle()
    romeo.sends("<message to='juliet@h' type='chat'><body>Hark!</body></message>")
    romeo.settle()
    bridge.receives_nothing()
    session = verona.host.directory.online("juliet").sessions["phone"]
    body = Child("jabber:client", "body", el("body", "Hark!"))
    message = stanza("message", body, from_="romeo@h/x", to="juliet@h", type="chat")
    wake(verona.host, session, message)
    assert told(bridge) == {"message-count": "1"}
