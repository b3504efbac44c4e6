"""How features join the login: what they register for SASL2 and Bind 2 (core/feature.py)."""

import pytest

from hausbote.c2s import service
from hausbote.core.feature import Feature, Inline
from hausbote.core.registry import Registry
from hausbote.xmpp.errors import BadRequest
from hausbote.xmpp.stanza import stanza
from hausbote.xmpp.xml import el
from support.sasl2_client import BIND2, SASL2, bind2, failure_of, log_in, succeeded, user_agent
from support.worlds import MemoryWorld

ECHO = "urn:example:echo"
RESUME = f"<resume xmlns='{ECHO}'/>"


def example(order):
    """A feature of every kind; `order` hears who was called."""
    feature = Feature("echo")
    kept = {}

    @feature.bind_result()
    def state(host, session):
        order.append("result")
        kept["session"] = session
        session.send(stanza("message", from_="h", to=session.jid.full, id="early"))
        return el("state", xmlns=ECHO)

    @feature.bind_inline(ECHO, "enable")
    def enable(host, session, element):
        order.append("enable")
        return el("enabled", xmlns=ECHO, to=session.jid.full)

    @feature.bind_inline(ECHO, "refuse")
    def refuse(host, session, element):
        raise BadRequest

    @feature.sasl_inline(ECHO, "resume", el("echo", xmlns=ECHO))
    def resume(host, transport, local, element):
        order.append(f"resume {local}")
        session = kept.get("session")
        if session is None or session.gone:
            return Inline(el("failed", xmlns=ECHO))
        session.transport = transport
        late = stanza("message", from_="h", to=session.jid.full, id="late")
        return Inline(el("resumed", xmlns=ECHO), session, lambda: session.send(late))

    return feature


@pytest.fixture
def order():
    return []


@pytest.fixture
def stranger(tmp_path, monkeypatch, order):
    monkeypatch.setattr(service, "FEATURES", (*service.FEATURES, example(order)))
    world = MemoryWorld(tmp_path)
    world.add_account("romeo")

    def open():
        client = world.client()
        client.features = client.secure()
        return client

    yield open
    world.close()


def test_they_are_announced(stranger):
    inline = stranger().features.find(f"{{{SASL2}}}authentication/{{{SASL2}}}inline")
    assert inline.find(f"{{{ECHO}}}echo") is not None
    bind = inline.find(f"{{{BIND2}}}bind")
    assert ECHO in [one.get("var") for one in bind.iter(f"{{{BIND2}}}feature")]


def test_they_answer_in_the_success_and_nothing_comes_before_it(stranger, order):
    client = stranger()
    answer = log_in(client, bind2(inside=f"<enable xmlns='{ECHO}'/><refuse xmlns='{ECHO}'/>"))
    bound = answer.find(f"{{{BIND2}}}bound")
    assert [one.tag.partition("}")[2] for one in bound] == ["metadata", "state", "enabled"]
    assert bound[2].get("to") == client.jid
    assert order == ["enable", "result"]
    assert client.next().tag.endswith("}features")
    client.receives("<message id='early'/>")


def test_nobody_is_called_for_who_fails(stranger, order):
    client = stranger()
    failure_of(log_in(client, RESUME, bind2(inside=f"<enable xmlns='{ECHO}'/>"), password="x"))
    assert order == []


def test_a_session_that_is_taken_over_needs_no_resource_and_no_features(stranger, order):
    old = stranger()
    log_in(old, user_agent(), bind2())
    order.clear()
    new = stranger()
    answer = log_in(new, user_agent(), RESUME, bind2("Other", f"<enable xmlns='{ECHO}'/>"))
    assert succeeded(answer)
    assert new.jid == old.jid
    assert answer.find(f"{{{ECHO}}}resumed") is not None
    assert answer.find(f"{{{BIND2}}}bound") is None
    assert order == ["resume romeo"]
    new.receives("<message id='late'/>")
    new.sends("<presence/>")
    new.receives(f"<presence from='{old.jid}'/>")


def test_if_there_is_nothing_to_take_over_a_resource_is_bound(stranger, order):
    client = stranger()
    answer = log_in(client, RESUME, bind2())
    assert answer.find(f"{{{ECHO}}}failed") is not None
    assert answer.find(f"{{{BIND2}}}bound") is not None
    assert order == ["resume romeo", "result"]


def test_two_features_cannot_have_the_same_element():
    one, other = example([]), example([])
    with pytest.raises(ValueError, match="two handlers"):
        Registry([one, other])
    text = Registry([one]).explain()
    assert f"bind {{{ECHO}}}enable: " in text
    assert f"sasl {{{ECHO}}}resume: " in text
