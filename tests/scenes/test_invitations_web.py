"""Accounts by invitation from a web page, over WebSocket and BOSH (XEP-0445 over RFC 7395, XEP-0206)."""

import time

import pytest

from hausbote.storage import Invitation, Kind
from support.scram_client import ScramClient
from support.web import BoshWire, FramedClient, WebSocketWire
from support.worlds import RunningWorld

PARS = "urn:xmpp:pars:0"
REGISTER = "jabber:iq:register"


@pytest.fixture(scope="module")
def web_box(tmp_path_factory):
    state = tmp_path_factory.mktemp("web") / "state"
    world = RunningWorld(state, "registration=invite", address="127.0.0.10")
    yield world
    world.close()


@pytest.mark.parametrize("kind", [WebSocketWire, BoshWire])
def test_an_account_by_invitation(web_box, kind):
    name, now = f"nurse-{kind.__name__.lower()}", int(time.time())
    made = Invitation(kind=Kind.ACCOUNT, made=now, until=now + 86_400)
    token = web_box.store.invitations.create(made)[1]
    client = FramedClient(kind(web_box), "h")
    features = client.open()
    assert features.find("{urn:xmpp:ibr-token:0}register") is not None
    client.sends(f"<iq type='set' id='p'><preauth xmlns='{PARS}' token='{token}'/></iq>")
    client.receives("<iq type='result' id='p'/>")
    client.sends(
        f"<iq type='set' id='r'><query xmlns='{REGISTER}'><username>{name}</username>"
        "<password>secret</password></query></iq>"
    )
    client.receives("<iq type='result' id='r'/>")
    scram = ScramClient(name, "secret", "SCRAM-SHA-256")
    assert client.authenticate(scram, "SCRAM-SHA-256").tag.endswith("}success")
    client.open()
    client.bind("page")
    assert client.jid == f"{name}@h/page"
    client.wire.cut()
