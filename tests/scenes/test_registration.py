"""Accounts from a client: XEP-0077."""

import time

import pytest

from hausbote.base.ways import foreign
from hausbote.features.newcomers import free_old_names
from support.scram_client import ScramClient
from support.worlds import PASSWORD, MemoryWorld, RunningWorld, hausbote, running_or_memory

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
    more = {"registration": "open", "limits": {"registrations_per_hour": 40}}
    yield from running_or_memory(request, "open_box", tmp_path, **more)


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


@pytest.fixture
def small_world(tmp_path):
    """Where one address may make three accounts, and try twelve times."""
    world = MemoryWorld(tmp_path, registration="open", limits={"registrations_per_hour": 3})
    yield world
    world.close()


def registers(world, name, password="secret", **whence):
    """What the server says to a new client that asks for that account."""
    client = world.client(**whence)
    client.secure()
    client.sends(registration(name, password))
    answer = client.next()
    client.wire.cut()
    return answer[0][0].tag.partition("}")[2] if answer.get("type") == "error" else "made"


def test_one_address_may_make_only_so_many_accounts(small_world):
    client = small_world.client()
    client.secure()
    for number in range(3):
        client.sends(registration(f"page-no-{number}"))
        client.receives("<iq type='result'/>")
    client.sends(registration("page-no-3"))
    client.receives(refusal("resource-constraint"))
    assert not small_world.store.accounts.exists("page-no-3")
    assert registers(small_world, "page-no-3", address="192.0.2.2") == "made"


def test_sixty_at_once_are_not_more_than_one_after_the_other(small_world):
    """Keys are made in a thread, and meanwhile all of them ask whether there were too many."""
    clients = [small_world.client() for _ in range(60)]
    for client in clients:
        client.secure()
    for number, client in enumerate(clients):
        client.sends(registration(f"page-no-{number}"))
    types = [client.next().get("type") for client in clients]
    assert types.count("result") == 3
    assert small_world.store.accounts.count() == 3


def test_an_address_is_counted_by_its_network_and_its_site(small_world):
    made = [
        registers(small_world, f"page-no-{number}", address=f"2001:db8:5::{number:x}")
        for number in range(5)
    ]
    assert made == ["made"] * 3 + ["resource-constraint"] * 2
    made = [
        registers(small_world, f"site-no-{number}", address=f"2001:db8:5:{number:x}::1")
        for number in range(1, 14)
    ]
    assert made == ["made"] * 9 + ["resource-constraint"] * 4


def test_refusals_are_counted_too(small_world):
    """Or one could ask for all names whether they are taken."""
    small_world.add_account("romeo")
    said = [registers(small_world, "romeo") for _ in range(13)]
    assert said == ["conflict"] * 12 + ["resource-constraint"]
    assert registers(small_world, "paris") == "resource-constraint"
    assert registers(small_world, "paris", address="192.0.2.2") == "made"


def test_somebody_who_mistypes_can_register_after_all(small_world):
    small_world.add_account("romeo")
    for _ in range(8):
        assert registers(small_world, "romeo") == "conflict"
    assert registers(small_world, "romeo-montague") == "made"


def test_a_foreign_page_uses_up_nothing_of_its_visitors(small_world):
    way = foreign("https://evil.example")
    made = [registers(small_world, f"victim-no-{number}", way=way) for number in range(4)]
    assert made == ["made"] * 3 + ["resource-constraint"]
    assert registers(small_world, "paris") == "made"


@pytest.mark.parametrize(
    "name",
    ["admin", "Postmaster", "abuse", "root", "hausbote", "rooms", "upload.h", "аdmin", "adrnin"],
)
def test_what_sounds_like_the_box_or_its_owner_is_the_owners(open_world, name):
    client = open_world.client()
    client.secure()
    client.sends(registration(name))
    client.receives(refusal("not-acceptable"))


@pytest.mark.parametrize("name", ["rοmeo", "rorneo", "romеo", "r0meo"])
def test_nobody_gets_a_name_that_looks_like_anothers(open_world, name):
    open_world.add_account("romeo")
    client = open_world.client()
    client.secure()
    client.sends(registration(name))
    client.receives(refusal("not-acceptable"))
    assert not open_world.store.accounts.exists(name)


def test_two_that_look_alike_are_not_made_at_once(small_world):
    one, other = small_world.client(), small_world.client(address="192.0.2.2")
    for client in (one, other):
        client.secure()
    one.sends(registration("paris"))
    other.sends(registration("pаris"))
    assert {client.next().get("type") for client in (one, other)} == {"result", "error"}
    assert small_world.store.accounts.count() == 1


def test_a_deleted_accounts_name_is_not_for_strangers_for_a_while(small_world):
    small_world.add_account("romeo")
    romeo = small_world.client().log_in("romeo", PASSWORD)
    romeo.sends(f"<iq type='set' id='r1'><query xmlns='{REGISTER}'><remove/></query></iq>")
    romeo.is_ended_with("not-authorized")
    assert registers(small_world, "romeo") == "conflict"
    begun, small_world.host.clock = time.time(), lambda: begun + 89 * 86_400
    free_old_names(small_world.host)
    assert registers(small_world, "romeo", address="192.0.2.2") == "conflict"
    small_world.host.clock = lambda: begun + 90 * 86_400
    free_old_names(small_world.host)
    assert registers(small_world, "romeo", address="192.0.2.2") == "made"


def test_the_owner_may_give_away_a_deleted_accounts_name(open_box):
    open_box.add_account("mercutio")
    hausbote("user", "delete", "mercutio@h", state=open_box.state)
    client = open_box.client()
    client.secure()
    client.sends(registration("mercutio"))
    client.receives(refusal("conflict"))
    hausbote("user", "add", "mercutio@h", "--password-stdin", state=open_box.state, input="queen")
    assert open_box.store.accounts.exists("mercutio")


def test_the_owner_is_told_what_a_name_is_taken_for(open_box):
    open_box.add_account("romeo")
    for name, said in (("rorneo", "looks like romeo"), ("abuse", "office")):
        arguments = ("user", "add", f"{name}@h", "--password-stdin")
        done = hausbote(*arguments, state=open_box.state, input="x")
        assert said in done.stderr
        hausbote("user", "delete", f"{name}@h", state=open_box.state)


def test_a_closed_server_offers_nothing_and_refuses(cast):
    client = cast.world.client()
    features = client.secure()
    assert features.find("{http://jabber.org/features/iq-register}register") is None
    client.sends(registration("benvolio"))
    client.receives(refusal("service-unavailable"))


def test_a_closed_server_does_not_look_what_is_asked(cast):
    client = cast.world.client()
    client.secure()
    for inside in ("<remove/>", "", "<nonsense xmlns='urn:nonsense'/>"):
        client.sends(f"<iq type='set' id='r1'><query xmlns='{REGISTER}'>{inside}</query></iq>")
        client.receives(refusal("service-unavailable"))


def test_a_stranger_has_nothing_to_remove(open_world):
    client = open_world.client()
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
