"""Accounts by invitation: XEP-0445 before the login, and what comes with the account."""

import time

import pytest

from hausbote.features.newcomers import forget_old_invitations
from hausbote.storage import Invitation, Kind, Role
from support.scram_client import ScramClient
from support.worlds import KEYS, PASSWORD, MemoryWorld, RunningWorld, hausbote, running_or_memory

REGISTER = "jabber:iq:register"
PARS = "urn:xmpp:pars:0"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
ROSTER = "jabber:iq:roster"
DAY = 86_400


@pytest.fixture(scope="module")
def invite_box(tmp_path_factory):
    state = tmp_path_factory.mktemp("invite") / "state"
    world = RunningWorld(
        state,
        "registration=invite",
        "log.level=debug",
        "limits.registrations_per_hour=100",
        address="127.0.0.10",
    )
    yield world
    world.close()


@pytest.fixture(params=["memory", "running"])
def house(request, tmp_path):
    """A server where people with an invitation may register."""
    more = {"registration": "invite", "limits": {"registrations_per_hour": 100}}
    yield from running_or_memory(request, "invite_box", tmp_path, **more)


def invite(world, kind=Kind.ACCOUNT, days=7, **fields):
    """Another invitation's token."""
    now = int(time.time())
    made = Invitation(kind=kind, made=now, until=now + days * DAY, **fields)
    return world.store.invitations.create(made)[1]


def fresh(world, *names):
    """Nobody has these names, and they are held for nobody."""
    for name in names:
        world.add_account(name)
        world.store.accounts.delete(name, f"{name}@h")
        world.tell({"account": name, "change": "deleted"})
    world.store.accounts.forget_departed(int(time.time()) + 10)


def stranger(world, **whence):
    client = world.client(**whence)
    client.secure()
    return client


def shows(client, token):
    """What the server says to that token: "good", or the condition and the text."""
    client.sends(f"<iq type='set' id='p' to='h'><preauth xmlns='{PARS}' token='{token}'/></iq>")
    return said(client.next())


def said(answer):
    if answer.get("type") == "result":
        return "good"
    text = answer.findtext(f".//{{{STANZAS}}}text")
    return answer.find("{*}error")[0].tag.partition("}")[2], text


def registers(client, name, password="secret"):
    client.sends(
        f"<iq type='set' id='r' to='h'><query xmlns='{REGISTER}'>"
        f"<username>{name}</username><password>{password}</password></query></iq>"
    )
    return said(client.next())


def can_log_in(world, name, password="secret"):
    scram = ScramClient(name, password, "SCRAM-SHA-256")
    return stranger(world).authenticate(scram, "SCRAM-SHA-256").tag.endswith("}success")


# -- the dialogue of XEP-0445 ------------------------------------------------------------------


@pytest.mark.parametrize("registration", ["invite", "open"])
def test_what_is_offered_before_the_login(tmp_path, registration):
    world = MemoryWorld(tmp_path, registration=registration)
    features = world.client().secure()
    for namespace in (
        "urn:xmpp:ibr-token:0",
        "urn:xmpp:invite",
        "http://jabber.org/features/iq-register",
    ):
        assert features.find(f"{{{namespace}}}register") is not None
    world.close()


def test_a_closed_server_takes_no_invitation(cast):
    client = cast.world.client()
    features = client.secure()
    assert [one for one in features if one.tag.endswith("}register")] == []
    assert shows(client, invite(cast.world))[0] == "service-unavailable"
    assert registers(client, "nurse")[0] == "service-unavailable"


def test_an_account_by_invitation_and_logging_in_on_the_same_stream(house):
    fresh(house, "nurse")
    client = stranger(house)
    client.sends(
        f"<iq type='set' id='p' to='h'><preauth xmlns='{PARS}' token='{invite(house)}'/></iq>"
    )
    client.receives("<iq type='result' id='p'/>")
    client.sends(f"<iq type='get' id='f' to='h'><query xmlns='{REGISTER}'/></iq>")
    client.receives(
        f"<iq type='result' id='f'><query xmlns='{REGISTER}'><instructions>*</instructions>"
        "<username/><password/></query></iq>"
    )
    assert registers(client, "nurse") == "good"
    scram = ScramClient("nurse", "secret", "SCRAM-SHA-256")
    assert client.authenticate(scram, "SCRAM-SHA-256").tag.endswith("}success")
    client.open()
    client.bind("x")
    assert client.jid == "nurse@h/x"
    assert not house.store.accounts.get("nurse").admin


def test_without_an_invitation_there_is_no_account(house):
    fresh(house, "nurse")
    client = stranger(house)
    client.sends(f"<iq type='get' id='f' to='h'><query xmlns='{REGISTER}'/></iq>")
    assert said(client.next())[0] == "forbidden"
    assert registers(client, "nurse")[0] == "forbidden"
    assert shows(client, "a" * 32) == ("item-not-found", "There is no such invitation.")
    assert registers(client, "nurse")[0] == "forbidden"
    assert not house.store.accounts.exists("nurse")


def test_a_token_says_what_became_of_it(house):
    fresh(house, "nurse")
    client = stranger(house)
    used, expired, withdrawn = invite(house), invite(house, days=-1), invite(house)
    assert shows(client, used) == "good"
    assert registers(client, "nurse") == "good"
    house.store.invitations.withdraw(house.store.invitations.look(withdrawn).id)
    for token, word in ((used, "used"), (expired, "expired"), (withdrawn, "withdrawn"), ("", "no")):
        condition, text = shows(stranger(house), token)
        assert condition == "item-not-found"
        assert word in text


def test_a_token_that_was_shown_may_expire(small_world):
    """XEP-0445 §4: that is looked at when it is shown."""
    token, client = invite(small_world, days=1), stranger(small_world)
    assert shows(client, token) == "good"
    begun = time.time()
    small_world.host.clock = lambda: begun + 2 * DAY
    assert registers(client, "nurse") == "good"
    assert shows(stranger(small_world), invite(small_world, days=1))[0] == "item-not-found"


def test_a_token_is_used_up_by_the_account_and_by_nothing_before(house):
    fresh(house, "nurse", "paris")
    house.add_account("romeo")
    token, client = invite(house), stranger(house)
    for name, condition in (
        ("romeo", "conflict"),
        ("a b", "not-acceptable"),
        ("abuse", "not-acceptable"),
    ):
        assert shows(client, token) == "good"
        assert registers(client, name)[0] == condition
    assert registers(client, "nurse") == "good"
    assert registers(client, "paris")[0] == "forbidden"
    assert shows(client, token)[0] == "item-not-found"


def test_a_token_of_several_uses(house):
    fresh(house, "nurse", "paris", "tybalt")
    token = invite(house, times=2)
    for name in ("nurse", "paris"):
        client = stranger(house)
        assert shows(client, token) == "good"
        assert registers(client, name) == "good"
    assert shows(stranger(house), token)[0] == "item-not-found"


def test_one_that_was_used_meanwhile(house):
    """The other stream hears so when it registers, and has to show another one."""
    fresh(house, "nurse", "paris")
    token, one, other = invite(house), stranger(house), stranger(house)
    assert [shows(client, token) for client in (one, other)] == ["good", "good"]
    assert registers(one, "nurse") == "good"
    assert registers(other, "paris") == ("item-not-found", "This invitation was used already.")
    assert registers(other, "paris")[0] == "forbidden"
    assert not house.store.accounts.exists("paris")


def test_an_invitation_to_be_a_contact_makes_no_account(house):
    house.add_account("romeo")
    client = stranger(house)
    token = invite(house, Kind.CONTACT, inviter="romeo")
    assert shows(client, token) == ("item-not-found", "This invitation is for something else.")
    assert registers(client, "nurse")[0] == "forbidden"


def test_malformed_tokens_are_unknown(house):
    client = stranger(house)
    for token in ("", "%00", "&#x1F40E;" * 300, "a" * 4000):
        assert shows(client, token)[0] == "item-not-found"
    client.sends(f"<iq type='set' id='p' to='h'><preauth xmlns='{PARS}'/></iq>")
    assert said(client.next())[0] == "item-not-found"


def test_an_invitation_for_a_name(house):
    fresh(house, "nurse", "paris")
    token, client = invite(house, name="nurse"), stranger(house)
    assert shows(client, token) == "good"
    client.sends(f"<iq type='get' id='f' to='h'><query xmlns='{REGISTER}'/></iq>")
    client.receives(
        f"<iq type='result' id='f'><query xmlns='{REGISTER}'><instructions>*</instructions>"
        "<username>nurse</username><password/></query></iq>"
    )
    assert registers(client, "paris") == ("not-acceptable", "This invitation is for another name.")
    other = stranger(house)
    assert shows(other, invite(house)) == "good"
    assert registers(other, "nurse")[0] == "conflict"
    assert registers(other, "nursе")[0] == "not-acceptable"  # with a Cyrillic letter
    assert registers(client, "nurse") == "good"


def test_an_administrators_invitation(house):
    fresh(house, "nurse")
    client = stranger(house)
    assert shows(client, invite(house, role=Role.ADMINISTRATOR)) == "good"
    assert registers(client, "nurse") == "good"
    assert house.store.accounts.get("nurse").admin
    fresh(house, "nurse")


def test_an_open_server_takes_invitations_too(tmp_path):
    world = MemoryWorld(tmp_path, registration="open")
    world.add_account("romeo")
    client = stranger(world)
    assert shows(client, "a" * 32)[0] == "item-not-found"
    assert registers(client, "paris") == "good"
    client = stranger(world)
    assert shows(client, invite(world, Kind.FRIEND, inviter="romeo")) == "good"
    assert registers(client, "nurse") == "good"
    assert world.store.rosters.load("romeo").items["nurse@h"].subscription == "both"
    world.close()


# -- contacts and circles ----------------------------------------------------------------------


def test_inviter_and_newcomer_see_each_other_at_once(house):
    fresh(house, "nurse")
    house.add_account("romeo")
    romeo = house.client().log_in("romeo", PASSWORD, "orchard")
    romeo.sends(f"<iq type='get' id='r'><query xmlns='{ROSTER}'/></iq>")
    romeo.receives("<iq type='result' id='r'/>")
    romeo.sends("<presence/>")
    romeo.receives("<presence from='romeo@h/orchard'/>")
    client = stranger(house)
    assert shows(client, invite(house, Kind.FRIEND, inviter="romeo")) == "good"
    assert registers(client, "nurse") == "good"
    romeo.receives(
        f"<iq type='set'><query xmlns='{ROSTER}'><item jid='nurse@h' subscription='both'/></query></iq>"
    )
    nurse = house.client().log_in("nurse", "secret", "hall")
    nurse.sends(f"<iq type='get' id='r'><query xmlns='{ROSTER}'/></iq>")
    nurse.receives(
        f"<iq type='result'><query xmlns='{ROSTER}'><item jid='romeo@h' subscription='both'/></query></iq>"
    )
    nurse.sends("<presence/>")
    nurse.receives_any_order(
        "<presence from='nurse@h/hall'/>", "<presence from='romeo@h/orchard'/>"
    )
    romeo.receives("<presence from='nurse@h/hall'/>")
    for client in (romeo, nurse):
        client.wire.cut()


def test_a_plain_invitation_makes_no_contacts(house):
    fresh(house, "nurse")
    house.add_account("romeo")
    client = stranger(house)
    assert shows(client, invite(house, inviter="romeo")) == "good"
    assert registers(client, "nurse") == "good"
    assert house.store.rosters.load("romeo").items == {}


def test_a_newcomer_belongs_to_the_circle(invite_box):
    """And finds an invitation to its room, and its people online."""
    world = invite_box
    fresh(world, "nurse")
    for name in ("romeo", "juliet"):
        world.add_account(name)
    hausbote(
        "circle", "make", "family", "romeo@h", "juliet@h", "--title", "Family", state=world.state
    )
    romeo = world.client().log_in("romeo", PASSWORD)
    romeo.sends(f"<iq type='get' id='r'><query xmlns='{ROSTER}'/></iq>")
    romeo.receives("<iq type='result' id='r'/>")
    client = stranger(world)
    assert shows(client, invite(world, circles=("family",))) == "good"
    assert registers(client, "nurse") == "good"
    romeo.receives(
        f"<iq type='set'><query xmlns='{ROSTER}'><item jid='nurse@h' subscription='both'>"
        "<group>Family</group></item></query></iq>"
    )
    nurse = world.client().log_in("nurse", "secret")
    nurse.sends("<presence/>")
    received = [nurse.next(), nurse.next()]
    invited = [one for one in received if one.get("from") == "family@rooms.h"]
    assert len(invited) == 1
    nurse.sends(
        "<presence to='family@rooms.h/nurse'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
    )
    while (presence := nurse.next()).get("from") != "family@rooms.h/nurse":
        assert presence is not None
    assert presence.get("type") is None
    for one in (romeo, nurse):
        one.wire.cut()
    hausbote("circle", "delete", "family", state=world.state)


# -- passwords ---------------------------------------------------------------------------------


def test_a_link_for_another_password(house):
    house.add_account("romeo")
    romeo = house.client().log_in("romeo", PASSWORD)
    token, client = invite(house, Kind.RESET, name="romeo"), stranger(house)
    assert shows(client, token) == "good"
    assert registers(client, "juliet", "new")[0] == "not-acceptable"
    assert registers(client, "romeo", "new") == "good"
    romeo.is_ended_with("reset")
    assert can_log_in(house, "romeo", "new")
    assert not can_log_in(house, "romeo", PASSWORD)
    assert shows(client, token) == ("item-not-found", "This invitation was used already.")


def test_another_password_ends_links_for_one(house):
    house.add_account("romeo")
    token, client = invite(house, Kind.RESET, name="romeo"), stranger(house)
    assert shows(client, token) == "good"
    house.store.accounts.set_keys("romeo", KEYS)
    assert registers(client, "romeo", "new")[0] == "item-not-found"
    assert can_log_in(house, "romeo", PASSWORD)


# -- limits ------------------------------------------------------------------------------------


@pytest.fixture
def small_world(tmp_path):
    """Where one address may make two accounts, and try eight times."""
    world = MemoryWorld(tmp_path, registration="invite", limits={"registrations_per_hour": 2})
    yield world
    world.close()


def test_wrong_tokens_are_counted_with_every_other_attempt(small_world):
    client = stranger(small_world)
    heard = [shows(client, "a" * 32)[0] for _ in range(9)]
    assert heard == ["item-not-found"] * 8 + ["resource-constraint"]
    token = invite(small_world)
    assert shows(stranger(small_world), token)[0] == "resource-constraint"
    other = stranger(small_world, address="192.0.2.2")
    assert shows(other, token) == "good"
    assert registers(other, "nurse") == "good"


def test_invited_accounts_are_counted_with_all_others(small_world):
    token = invite(small_world, times=9)
    for name in ("nurse", "paris", "tybalt"):
        client = stranger(small_world)
        assert shows(client, token) == "good"
        heard = registers(client, name)
    assert heard[0] == "resource-constraint"
    assert not small_world.store.accounts.exists("tybalt")
    assert small_world.store.invitations.look(token).used == 2


def test_many_tokens_at_once_are_not_more_than_one_after_the_other(small_world):
    clients = [stranger(small_world) for _ in range(20)]
    for client in clients:
        client.sends(f"<iq type='set' id='p' to='h'><preauth xmlns='{PARS}' token='b'/></iq>")
    heard = [said(client.next())[0] for client in clients]
    assert heard.count("item-not-found") == 8


def test_old_invitations_are_forgotten_after_a_while(small_world):
    token = invite(small_world, days=1)
    begun = time.time()
    for days, text in ((2, "This invitation has expired."), (32, "There is no such invitation.")):
        small_world.host.clock = lambda days=days: begun + days * DAY
        forget_old_invitations(small_world.host)
        assert shows(stranger(small_world), token)[1] == text


# -- what is not told --------------------------------------------------------------------------


def test_no_token_and_no_name_is_in_a_log(invite_box):
    world = invite_box
    fresh(world, "mistress-quickly")
    token, wrong = invite(world), "w" * 32
    client = stranger(world)
    assert shows(client, wrong)[0] == "item-not-found"
    assert shows(client, token) == "good"
    assert registers(client, "mistress-quickly") == "good"
    assert shows(client, token)[0] == "item-not-found"
    logs = "".join(path.read_text() for path in (world.state / "log").glob("*.log"))
    assert "invitation-used kind=account" in logs
    for secret in (token, wrong, "mistress-quickly"):
        assert secret not in logs
