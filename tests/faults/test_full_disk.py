"""A box on a small disk that somebody fills: a person with messages, or something else."""

import json
import shutil
import sqlite3
import time

import pytest

from hausbote.storage import RosterItem
from support.archive import query, rsm
from support.disks import fill, free, small_disk
from support.patterns import CLIENT
from support.worlds import PASSWORD, RunningWorld, hausbote

MB = 1 << 20
SIZE, RESERVE = 120 * MB, 16 * MB
ROOM = "verona@rooms.h"
STANZAS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"


@pytest.fixture
def house(tmp_path):
    with small_disk(tmp_path / "disk", SIZE) as disk:
        world = RunningWorld(
            disk / "state",
            f"disk.reserve_bytes={RESERVE}",
            "limits.kept_bytes_per_hour=0",
            "limits.offline_bytes=25000000",
            "limits.bytes_per_second=0",
            address="127.0.0.36",
        )
        world.disk = disk
        for local in ("romeo", "juliet", "mercutio"):
            world.add_account(local)
        for friend in range(9):
            world.store.rosters.put("juliet", RosterItem(f"friend{friend}@h"))
        world.store.close()
        world.friends = iter([f"friend{n}@h" for n in range(9)])
        yield world
        world.stop()


def online(world, local):
    client = world.client().log_in(local, PASSWORD)
    client.sends("<presence/>")
    client.settle()
    return client


def asked(client, iq):
    """The type of the answer, and its condition; what else comes meanwhile is dropped."""
    client.sends(iq)
    while True:
        answer = client.next(20)
        assert answer is not None, f"no answer to {iq[:200]}"
        if answer.tag == f"{{{CLIENT}}}iq" and answer.get("type") in ("result", "error"):
            return answer.get("type"), condition(answer)


def condition(stanza):
    error = stanza.find(f"{{{CLIENT}}}error")
    if error is None:
        return None
    return error[0].tag.removeprefix(STANZAS), error.get("type")


FULL = ("resource-constraint", "wait")


def say(client, to, size=180_000, type="chat"):
    """Send a message; the condition with which it comes back before a ping after it does."""
    client.sends(f"<message to='{to}' type='{type}' id='m'><body>{'x' * size}</body></message>")
    service = to.partition("@")[2]
    client.sends(f"<iq type='get' id='after' to='{service}'><ping xmlns='urn:xmpp:ping'/></iq>")
    refused = None
    while True:
        stanza = client.next(20)
        assert stanza is not None, "there was no answer to a ping"
        if stanza.get("id") == "after":
            return refused
        if stanza.get("type") == "error":
            refused = condition(stanza)


def fill_with_messages(world, client, to):
    """Until one is refused; returns how many were not."""
    for number in range(SIZE // 100_000):
        refused = say(client, to)
        assert free(world.disk) >= RESERVE
        if refused is not None:
            assert refused == FULL
            return number
    raise AssertionError("everything was taken")


def enters(client, nick):
    client.sends(
        f"<presence to='{ROOM}/{nick}'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
    )
    while (stanza := client.next(20)) is not None:
        assert stanza.get("type") != "error"
        if stanza.find(f"{{{CLIENT}}}subject") is not None:
            return
    raise AssertionError("nobody let me in")


def leaves(client, nick):
    client.sends(f"<presence to='{ROOM}/{nick}' type='unavailable'/>")
    while (stanza := client.next(20)) is not None:
        if stanza.get("type") == "unavailable" and stanza.get("from") == f"{ROOM}/{nick}":
            return
    raise AssertionError("nobody let me out")


def can_still_be_used(world):
    """What is written for reading, deleting, coming and going has room."""
    juliet = online(world, "juliet")
    assert asked(juliet, query(rsm(max=1)))[0] == "result"
    assert say(juliet, "mercutio@h") == FULL
    roster = "<iq type='set' id='r'><query xmlns='jabber:iq:roster'>{}</query></iq>"
    item = "<item jid='nurse@h'/>"
    assert asked(juliet, roster.format(item)) == ("error", FULL)
    gone = f"<item jid='{next(world.friends)}' subscription='remove'/>"
    assert asked(juliet, roster.format(gone)) == ("result", None)
    block = (
        "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='tybalt@h'/></block></iq>"
    )
    assert asked(juliet, block) == ("result", None)
    juliet.sends("</stream:stream>")


def publish(payload, node="urn:example:novel"):
    return (
        "<iq type='set' id='p'><pubsub xmlns='http://jabber.org/protocol/pubsub'>"
        f"<publish node='{node}'><item id='i'><x xmlns='urn:example'>{payload}</x></item></publish>"
        "</pubsub></iq>"
    )


def waited_until(true):
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def purge(world, *options):
    return hausbote("purge", *options, "--yes", state=world.state).stdout


def status(world):
    return hausbote("status", state=world.state).stdout


def test_one_who_fills_the_disk_is_refused_and_others_live_on(house):
    juliet = online(house, "juliet")
    roster = (
        "<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='romeo@h'/></query></iq>"
    )
    assert asked(juliet, roster)[0] == "result"
    assert asked(juliet, publish("a chapter"))[0] == "result"
    enters(juliet, "Juliet")
    unlock = "<iq type='set' id='c' to='{}'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>"
    assert asked(juliet, unlock.format(ROOM))[0] == "result"
    romeo = online(house, "romeo")
    enters(romeo, "Romeo")
    assert fill_with_messages(house, romeo, "mercutio@h") > 50
    assert say(romeo, "mercutio@h") == FULL
    assert say(romeo, ROOM, 1000, "groupchat") == FULL
    private = (
        "<iq type='set' id='x'><query xmlns='jabber:iq:private'><a xmlns='urn:a'>b</a></query></iq>"
    )
    vcard = "<iq type='set' id='v'><vCard xmlns='vcard-temp'><FN>Romeo</FN></vCard></iq>"
    for fills in (publish("x" * 1000), private, vcard):
        assert asked(romeo, fills) == ("error", FULL)
    retract = publish("").replace("publish", "retract")
    assert asked(juliet, retract) == ("result", None)
    leaves(romeo, "Romeo")
    can_still_be_used(house)
    mercutio = online(house, "mercutio")  # what waited for him goes when he has read it
    while mercutio.next(2) is not None:
        pass
    waited_until(lambda: "nearly full" not in status(house))
    assert fill_with_messages(house, romeo, "juliet@h") > 0
    assert "nearly full" in status(house)
    waited_until(lambda: "disk-low" in house.log("c2s"))
    rows = json.loads(hausbote("usage", "--json", state=house.state).stdout)
    assert rows["accounts"][0]["account"] in ("romeo@h", "mercutio@h")
    assert rows["accounts"][0]["archive"] > 10 * MB
    shown = json.loads(hausbote("user", "show", "romeo@h", "--json", state=house.state).stdout)
    assert shown["archive"] > 10 * MB
    assert free(house.disk) >= RESERVE
    assert "messages of accounts" in purge(house, "--days", "0", "--account", "romeo@h")
    for other in ("mercutio@h", "juliet@h"):  # who have the same messages
        purge(house, "--days", "0", "--account", other)
    assert say(romeo, "juliet@h") is None
    assert "nearly full" not in status(house)
    house.stop()
    assert "smaller" in purge(house, "--shrink")
    assert free(house.disk) > 40 * MB
    house.start()
    assert asked(online(house, "romeo"), query(rsm(max=1)))[0] == "result"


def test_a_box_starts_on_a_disk_without_a_byte_left(house):
    romeo = online(house, "romeo")
    for _ in range(30):
        assert say(romeo, "mercutio@h") is None
    house.stop()
    other = fill(house.disk)
    assert free(house.disk) == 0
    house.start()
    assert any("nearly full" in line for line in house.said)
    can_still_be_used(house)
    house.stop()
    fill(house.disk)  # again: what was given up is taken, too
    assert free(house.disk) == 0
    house.start()
    can_still_be_used(house)
    mercutio = online(house, "mercutio")  # what waited for him goes when he has read it
    while mercutio.next(1) is not None:
        pass
    assert "60 messages of accounts" in purge(house, "--days", "0")
    house.stop()
    purge(house, "--shrink")
    assert free(house.disk) > 4 * MB
    other.unlink()
    house.start()
    assert say(online(house, "romeo"), "juliet@h") is None


def test_a_disk_that_something_else_fills_while_the_box_runs(house):
    romeo = online(house, "romeo")
    for _ in range(30):
        assert say(romeo, "mercutio@h") is None
    waited_until(lambda: list(house.state.glob("*.ballast")))
    other = fill(house.disk)
    waited_until(lambda: say(romeo, "mercutio@h") == FULL)  # it looks now and then
    can_still_be_used(house)
    for service in ("c2s", "rooms"):
        house.kill(service)
    house.pid("c2s")
    can_still_be_used(house)
    other.unlink()
    romeo = online(house, "romeo")
    waited_until(lambda: say(romeo, "mercutio@h") is None)
    waited_until(lambda: list(house.state.glob("*.ballast")))


def test_a_copy_before_an_update_needs_room_and_says_so(tmp_path):
    with small_disk(tmp_path / "disk", 4 * MB) as disk:
        state = tmp_path / "state"
        hausbote("init", "--domain", "h", state=state)
        shutil.copytree(state, disk / "state")
        database = disk / "state" / "hausbote.db"
        connection = sqlite3.connect(database)
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
        connection.close()
        fill(disk, 100_000)
        said = hausbote("user", "list", state=disk / "state", check=False)
        assert said.returncode == 1
        assert "hausbote purge" in said.stderr
        assert database.exists()
