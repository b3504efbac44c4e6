"""Accounts from a client: XEP-0077."""

import pytest

from support.scram_client import ScramClient
from support.worlds import PASSWORD, MemoryWorld, RunningWorld

REGISTER = "jabber:iq:register"


@pytest.fixture(scope="module")
def open_box(tmp_path_factory):
    state = tmp_path_factory.mktemp("open") / "state"
    world = RunningWorld(
        state, "registration=open", "limits.registrations_per_hour=40", address="127.0.0.10"
    )
    yield world
    world.close()


@pytest.fixture(params=["memory", "running"])
def open_world(request, tmp_path):
    """A server where everybody may register."""
    if request.param == "running":
        yield request.getfixturevalue("open_box")
        return
    limits = {"registrations_per_hour": 5}
    memory = MemoryWorld(tmp_path, registration="open", limits=limits)
    yield memory
    memory.close()


def registration(name, password="secret"):
    return (
        f"<iq type='set' id='r1'><query xmlns='{REGISTER}'>"
        f"<username>{name}</username><password>{password}</password></query></iq>"
    )


def refusal(condition):
    return (
        f"<iq type='error' id='r1'><error>"
        f"<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    )


def test_an_open_server_offers_registration_and_a_form(open_world):
    client = open_world.client()
    features = client.secure()
    assert features.find("{http://jabber.org/features/iq-register}register") is not None
    client.sends(f"<iq type='get' id='r1'><query xmlns='{REGISTER}'/></iq>")
    client.receives(
        f"<iq type='result' id='r1'><query xmlns='{REGISTER}'><instructions>*</instructions>"
        "<username/><password/></query></iq>"
    )


def test_registering_and_logging_in_on_the_same_stream(open_world):
    client = open_world.client()
    client.secure()
    client.sends(registration("Benvolio"))
    client.receives("<iq type='result' id='r1'/>")
    scram = ScramClient("benvolio", "secret", "SCRAM-SHA-256")
    assert client.authenticate(scram, "SCRAM-SHA-256").tag.endswith("}success")
    client.open()
    client.bind("x")
    assert client.jid == "benvolio@h/x"


def test_a_taken_name_is_refused(open_world):
    open_world.add_account("romeo")
    client = open_world.client()
    client.secure()
    client.sends(registration("romeo", "stolen"))
    client.receives(refusal("conflict"))
    scram = ScramClient("romeo", PASSWORD, "SCRAM-SHA-256")
    assert client.authenticate(scram, "SCRAM-SHA-256").tag.endswith("}success")


@pytest.mark.parametrize(
    ("name", "password", "condition"),
    [
        ("a b", "secret", "not-acceptable"),
        ("a@b", "secret", "not-acceptable"),
        ("", "secret", "not-acceptable"),
        ("x" * 1100, "secret", "not-acceptable"),
        ("paris", "", "not-acceptable"),
        ("paris", "x" * 1100, "not-acceptable"),
    ],
)
def test_impossible_names_and_passwords_are_refused(open_world, name, password, condition):
    client = open_world.client()
    client.secure()
    client.sends(registration(name, password))
    client.receives(refusal(condition))


def test_a_password_that_cannot_be_is_no_fault(open_box):
    """It is found in a thread, whose exceptions must not be printed beside the log."""
    client = open_box.client()
    client.secure()
    client.sends(registration("paris", "with a\ttab").replace("\t", "&#9;"))
    client.receives(refusal("not-acceptable"))
    log = open_box.log("c2s")
    assert "Traceback" not in log
    assert " bug " not in log


def test_a_form_without_a_password_is_refused(open_world):
    client = open_world.client()
    client.secure()
    client.sends(
        f"<iq type='set' id='r1'><query xmlns='{REGISTER}'><username>p</username></query></iq>"
    )
    client.receives(refusal("not-acceptable"))


def test_one_address_may_make_only_so_many_accounts(tmp_path):
    world = MemoryWorld(tmp_path, registration="open", limits={"registrations_per_hour": 3})
    client = world.client()
    client.secure()
    for number in range(3):
        client.sends(registration(f"page{number}"))
        client.receives("<iq type='result'/>")
    client.sends(registration("page3"))
    client.receives(refusal("resource-constraint"))
    assert not world.store.accounts.exists("page3")
    world.close()


def test_a_closed_server_offers_nothing_and_refuses(cast):
    client = cast.world.client()
    features = client.secure()
    assert features.find("{http://jabber.org/features/iq-register}register") is None
    client.sends(registration("benvolio"))
    client.receives(refusal("service-unavailable"))


def test_a_stranger_has_nothing_to_remove(cast):
    client = cast.world.client()
    client.secure()
    client.sends("<iq type='set' id='r1'><query xmlns='jabber:iq:register'><remove/></query></iq>")
    client.receives(refusal("unexpected-request"))


def test_changing_the_password(cast):
    romeo = cast("romeo")
    romeo.sends(registration("romeo", "new").replace("<iq ", "<iq to='h' "))
    romeo.receives("<iq type='result' id='r1'/>")
    for password, outcome in ((PASSWORD, "failure"), ("new", "success")):
        client = cast.world.client()
        client.secure()
        answer = client.authenticate(ScramClient("romeo", password, "SCRAM-SHA-1"), "SCRAM-SHA-1")
        assert answer.tag.endswith(outcome)


def test_nobody_changes_anothers_password(cast):
    romeo, _ = cast("romeo", "juliet")
    romeo.sends(registration("juliet", "stolen"))
    romeo.receives(refusal("forbidden"))
    romeo.sends(registration("juliet", "stolen").replace("<iq ", "<iq to='juliet@h' "))
    romeo.receives(refusal("service-unavailable"))
    cast.log_in("juliet/again")


def test_who_is_registered_is_told_so(cast):
    romeo = cast("romeo")
    romeo.sends(f"<iq type='get' id='r1'><query xmlns='{REGISTER}'/></iq>")
    romeo.receives(
        f"<iq type='result'><query xmlns='{REGISTER}'><registered/><username>romeo</username></query></iq>"
    )


def test_deleting_the_account_ends_its_sessions_and_its_friendships(cast):
    phone, desk, juliet = cast("romeo/phone", "romeo/desk", "juliet")
    cast.befriend(phone, juliet)
    desk.forget()
    phone.sends(f"<iq type='set' id='r1'><query xmlns='{REGISTER}'><remove/></query></iq>")
    desk.is_ended_with("not-authorized")
    phone.is_ended_with("not-authorized")
    juliet.receives_any_order(
        "<presence type='unavailable' from='romeo@h/phone'/>",
        "<presence type='unavailable' from='romeo@h/desk'/>",
    )
    juliet.sends("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
    juliet.receives(
        "<iq type='result'><query xmlns='jabber:iq:roster'>"
        "<item jid='romeo@h' subscription='none'/></query></iq>"
    )
    client = cast.world.client()
    client.secure()
    answer = client.authenticate(ScramClient("romeo", PASSWORD, "SCRAM-SHA-1"), "SCRAM-SHA-1")
    assert answer.tag.endswith("failure")
