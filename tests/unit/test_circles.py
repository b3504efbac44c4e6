"""hausbote circle, beside a running box: what people's clients see of it at once."""

import pytest

from support.rooms import USER, Room, condition
from support.worlds import PASSWORD, RunningWorld, hausbote

ROSTER = "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>"


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    world = RunningWorld(tmp_path_factory.mktemp("circles") / "state", address="127.0.0.17")
    yield world
    world.close()


@pytest.fixture
def people(house):
    clients = {}
    for name in ("romeo", "juliet", "nurse"):
        house.add_account(name)
        client = clients[name] = house.client().log_in(name, PASSWORD, "here")
        client.sends("<presence/>", ROSTER)
        client.answer("r")
        client.forget()
    yield clients
    for client in clients.values():
        client.wire.cut()


def contacts(client):
    client.sends(ROSTER)
    query = client.answer("r")[0]
    return {
        item.get("jid"): (item.get("subscription"), [group.text for group in item])
        for item in query
    }


def circle(house, *arguments, check=True):
    return hausbote("circle", *arguments, state=house.state, check=check)


def test_a_family_from_its_making_to_its_end(house, people):
    romeo, juliet, nurse = people.values()
    circle(house, "make", "family", "--title", "Family", "romeo@h", "juliet@h")
    assert circle(house, "list").stdout == "family: juliet romeo\n"
    assert contacts(romeo) == {"juliet@h": ("both", ["Family"])}
    came = juliet.came()
    assert [s for s in came if s.get("from") == romeo.jid and s.tag.endswith("presence")]
    assert [s for s in came if s.find(f"{{{USER}}}x") is not None]
    room = Room("family")
    room.join(juliet, "juliet", forget=False)
    juliet.receives(
        f"<presence><x xmlns='{USER}'><item affiliation='member'/><status code='110'/></x></presence>"
    )
    room.join(nurse, "nurse", forget=False)
    assert nurse.next().get("type") == "error"
    circle(house, "add", "family", "nurse@h")
    nurse.forget()
    room.join(nurse, "nurse")
    assert set(contacts(nurse)) == {"romeo@h", "juliet@h"}
    juliet.forget()
    circle(house, "remove", "family", "nurse@h")
    juliet.settle()
    assert [
        s
        for s in juliet.came()
        if s.get("from") == room.nick("nurse") and s.get("type") == "unavailable"
    ]
    assert contacts(nurse) == {}
    assert set(contacts(juliet)) == {"romeo@h"}
    circle(house, "delete", "family")
    assert circle(house, "list").stdout == ""
    assert contacts(juliet) == {}
    juliet.settle_with(room)
    assert [s for s in juliet.came() if s.find(f".//{{{USER}}}destroy") is not None]
    nurse.forget()
    room.join(nurse, "nurse", forget=False)
    assert condition(nurse.next()) == ("gone", "cancel"), "nobody makes a trap of its name"


def test_whoever_is_taken_in_while_the_box_rests_is_invited_when_they_come(house):
    for name in ("romeo", "juliet"):
        house.add_account(name)
    house.stop()
    circle(house, "make", "friends", "romeo@h", "juliet@h")
    house.start()
    for name in ("romeo", "juliet"):
        client = house.client().log_in(name, PASSWORD, "here")
        client.sends("<presence/>")
        client.settle()
        invited = [s for s in client.came() if s.find(f"{{{USER}}}x/{{{USER}}}invite") is not None]
        assert [s.get("from") for s in invited] == ["friends@rooms.h"]
        room = Room("friends")
        room.join(client, name, forget=False)
        client.receives("<presence/>")
        client.wire.cut()
    circle(house, "delete", "friends")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("make", "Family!", "romeo@h"), "small letters"),
        (("make", "club", "nobody@h"), "there is no account nobody"),
        (("make", "club", "romeo@elsewhere"), "accounts here are called"),
        (("add", "nowhere", "romeo@h"), "there is no circle nowhere"),
        (("delete", "nowhere"), "there is no circle nowhere"),
    ],
)
def test_what_cannot_be(house, people, arguments, says):
    done = circle(house, *arguments, check=False)
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_name_is_had_once_and_somebody_stays(house, people):
    circle(house, "make", "club", "romeo@h", "juliet@h")
    assert "already" in circle(house, "make", "club", "romeo@h", check=False).stderr
    assert (
        "nobody would be left"
        in circle(house, "remove", "club", "romeo@h", "juliet@h", check=False).stderr
    )
    circle(house, "remove", "club", "romeo@h")  # its owner
    room = Room("club")
    juliet = people["juliet"]
    room.join(juliet, "juliet")
    assert room.owner(juliet, "get").get("type") == "result"
    circle(house, "delete", "club")
