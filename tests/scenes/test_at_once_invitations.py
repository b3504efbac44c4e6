"""Two people follow one invitation at once: it makes one account, one contact, one password."""

import time

import pytest

from hausbote.storage import Invitation, InvitationRefused, Kind
from support.at_once import at_once, outcomes
from support.scram_client import ScramClient
from support.worlds import MemoryWorld, RunningWorld

REGISTER = "jabber:iq:register"
PARS = "urn:xmpp:pars:0"
NAMES = ("nurse", "paris", "tybalt")


@pytest.fixture(scope="module")
def invite_box(tmp_path_factory):
    state = tmp_path_factory.mktemp("at-once") / "state"
    settings = ("registration=invite", "limits.registrations_per_hour=100")
    world = RunningWorld(state, *settings, address="127.0.0.10")
    yield world
    world.close()


@pytest.fixture(params=["memory", "running"])
def world(request, tmp_path):
    """A server for which `cast` casts people that may have been invited."""
    if request.param == "running":
        made = request.getfixturevalue("invite_box")
        for name in NAMES:
            made.add_account(name)
            made.store.accounts.delete(name, f"{name}@h")
            made.tell({"account": name, "change": "deleted"})
        made.store.accounts.forget_departed(int(time.time()) + 10)
        yield made
        return
    limits = {"registrations_per_hour": 100}
    memory = MemoryWorld(tmp_path, registration="invite", limits=limits)
    yield memory
    memory.close()


def invite(world, kind=Kind.ACCOUNT, **fields):
    now = int(time.time())
    made = Invitation(kind=kind, made=now, until=now + 86_400, **fields)
    return world.store.invitations.create(made)[1]


def stranger(world, token):
    """Somebody who has shown an invitation."""
    client = world.client()
    client.secure()
    client.sends(f"<iq type='set' id='p'><preauth xmlns='{PARS}' token='{token}'/></iq>")
    client.receives("<iq type='result' id='p'/>")
    return client


def register(name, password="secret"):
    return (
        f"<iq type='set' id='r' to='h'><query xmlns='{REGISTER}'>"
        f"<username>{name}</username><password>{password}</password></query></iq>"
    )


def is_good(world, name, password):
    client = world.client()
    client.secure()
    scram = ScramClient(name, password, "SCRAM-SHA-256")
    return client.authenticate(scram, "SCRAM-SHA-256").tag.endswith("}success")


def made(world):
    return [name for name in NAMES if world.store.accounts.exists(name)]


def test_two_register_with_one_token(world):
    world.add_account("romeo")
    token = invite(world, Kind.FRIEND, inviter="romeo")
    clients = [stranger(world, token) for _ in range(2)]
    with at_once(world):
        for client, name in zip(clients, NAMES, strict=False):
            client.sends(register(name))
    assert outcomes(*[client.next() for client in clients]) == (1, ["item-not-found"])
    (winner,) = made(world)
    assert list(world.store.rosters.load("romeo").items) == [f"{winner}@h"]
    assert world.store.invitations.look(token).used == 1


def test_three_register_with_the_last_two_uses(world):
    token = invite(world, times=2)
    clients = [stranger(world, token) for _ in range(3)]
    with at_once(world):
        for client, name in zip(clients, NAMES, strict=True):
            client.sends(register(name))
    assert outcomes(*[client.next() for client in clients]) == (2, ["item-not-found"])
    assert len(made(world)) == 2


def test_two_register_one_name_with_tokens_of_their_own(world):
    """Who is refused has not used anything up."""
    tokens = [invite(world), invite(world)]
    clients = [stranger(world, token) for token in tokens]
    with at_once(world):
        for number, client in enumerate(clients):
            client.sends(register("nurse", f"password-{number}"))
    answers = [client.next() for client in clients]
    assert outcomes(*answers) == (1, ["conflict"])
    won = [answer.get("type") == "result" for answer in answers]
    used = [world.store.invitations.look(token).used for token in tokens]
    assert used == [int(one) for one in won]
    assert [is_good(world, "nurse", f"password-{number}") for number in (0, 1)] == won


def test_two_set_one_password(world):
    world.add_account("romeo")
    token = invite(world, Kind.RESET, name="romeo")
    clients = [stranger(world, token) for _ in range(2)]
    with at_once(world):
        for number, client in enumerate(clients):
            client.sends(register("romeo", f"password-{number}"))
    answers = [client.next() for client in clients]
    assert outcomes(*answers) == (1, ["item-not-found"])
    won = [answer.get("type") == "result" for answer in answers]
    assert [is_good(world, "romeo", f"password-{number}") for number in (0, 1)] == won


def test_two_ask_with_one_token(cast):
    world = cast.world
    romeo, nurse, paris = cast("romeo", "nurse", "paris")
    token = invite(world, Kind.CONTACT, inviter="romeo")
    with at_once(world):
        for guest in (nurse, paris):
            guest.sends(
                "<presence type='subscribe' to='romeo@h'>"
                f"<preauth xmlns='{PARS}' token='{token}'/></presence>"
            )
    for client in (nurse, paris, romeo):
        client.settle()
    contacts = world.store.rosters.load("romeo").items
    assert [item.subscription for item in contacts.values()] == ["both"]
    assert world.store.rosters.count_requests("romeo") == 1
    assert world.store.invitations.look(token).used == 1


def test_one_is_withdrawn_while_it_is_used(world):
    token = invite(world)
    client = stranger(world, token)
    with at_once(world):
        client.sends(register("nurse"))
    answer = client.next()
    world.store.invitations.withdraw(world.store.invitations.look(token).id)
    assert (answer.get("type") == "result") == bool(made(world))
    with pytest.raises(InvitationRefused):
        world.store.invitations.check(token, time.time())


def test_the_inviter_is_deleted_while_somebody_registers(world):
    """There is an account and nobody's contact in it, or there is none."""
    world.add_account("romeo")
    client = stranger(world, invite(world, Kind.FRIEND, inviter="romeo"))
    romeo = world.client().log_in("romeo", "wherefore art thou")
    with at_once(world):
        romeo.sends(f"<iq type='set' id='d'><query xmlns='{REGISTER}'><remove/></query></iq>")
        client.sends(register("nurse"))
    romeo.is_ended_with("not-authorized")
    if client.next().get("type") == "result":
        world.store.settle()
        items = world.store.rosters.load("nurse").items.values()
        assert [item.subscription for item in items if item.subscription != "none"] == []
    else:
        assert made(world) == []
