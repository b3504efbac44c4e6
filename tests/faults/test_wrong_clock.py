"""A clock that is wrong by a year: nothing goes that is wanted, and nothing stays wrong after it."""

import itertools
import time
from datetime import UTC, datetime

import pytest

from hausbote.storage import Range, Upload
from support.archive import form, page, rsm, stanza_ids
from support.files import http_, put, slot
from support.rooms import Room
from support.sasl2_client import log_in, request_token, succeeded, token_login, token_of, user_agent
from support.worlds import PASSWORD
from support.wrong_clock import BoxWithClock

DAY = 86_400
YEAR = 365 * DAY
DOUBTED = "is doubted"
HURRIED = 3_700  # seconds: whatever is done every hour
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    state = tmp_path_factory.mktemp("clock") / "state"
    world = BoxWithClock(state, address="127.0.0.46")
    yield world
    world.close()


@pytest.fixture
def life(box):
    """People who have said and uploaded something, while the clock is right."""
    found = Life(box)
    yield found
    found.leave()
    box.jumps(0)
    box.command("clock", "accept")


class Life:
    """What romeo and juliet have; both are anew."""

    def __init__(self, box):
        self.box = box
        self.here = []
        for name in ("romeo", "juliet"):
            box.add_account(name)
        phone = box.client()
        phone.secure()
        success = log_in(phone, user_agent(), request_token())
        assert succeeded(success)
        self.token = token_of(success)
        phone.leaves()
        self.room = Room().make(self.comes("romeo"), "romeo", persistentroom="1")
        self.leave()
        self.says("before")
        romeo = self.comes("romeo")
        self.place = slot(romeo, 100)
        assert put(box, self.place, b"x" * 100)[0] == 201
        self.leave()

    def comes(self, name):
        client = self.box.client().log_in(name, PASSWORD)
        self.here.append(client)
        return client

    def leave(self):
        while self.here:
            self.here.pop().leaves()

    def says(self, body):
        """Romeo to juliet, and in the room; the id of the message in juliet's archive."""
        romeo, juliet = self.comes("romeo"), self.comes("juliet")
        juliet.sends("<presence/>")
        juliet.receives("<presence/>")
        romeo.sends(f"<message to='juliet@h' type='chat'><body>{body}</body></message>")
        came = juliet.receives(f"<message><body>{body}</body></message>")
        self.room.join(romeo, "romeo")
        self.room.says(romeo, body)
        romeo.receives(f"<message type='groupchat'><body>{body}</body></message>")
        self.leave()
        return dict(stanza_ids(came))["juliet@h"]

    def asks(self, *inner):
        """What juliet's archive and the room's have."""
        juliet, romeo = self.comes("juliet"), self.comes("romeo")
        whole = rsm(max=100)
        hers = page(juliet, *inner, whole).bodies
        rooms = page(romeo, *inner, whole, to=self.room.jid).bodies
        self.leave()
        return [hers, rooms]

    def has(self, *bodies):
        """All of that is there, and the rest of what is theirs."""
        assert self.asks() == [list(bodies)] * 2
        assert http_(self.box, "GET", self.place.path)[0] == 200
        phone = self.box.client()
        phone.secure()
        assert succeeded(token_login(phone, self.token))
        phone.leaves()

    def is_looked_through(self):
        """What is too old has been deleted just now: something of each kind was 40 days old."""
        store, old = self.box.store, time.time() - 40 * DAY
        id, number = int(old * 1_000_000), next(_numbers)
        stanza = store.archives.page("juliet", Range(), 1)[0].stanza
        store.archives.keep(id, stanza, [("juliet", "romeo@h")]).wait()
        room = store.rooms.find(self.room.name)
        said = store.rooms.page(room.id, Range(), 1)[0]
        store.rooms.say(room.id, said._replace(id=id, cause="")).wait()
        file = Upload(f"{number:032x}", "old", "text/plain", 1, b"", old)
        assert store.uploads.add(store.uploads.account("juliet"), file, b"x", 0)
        self.box.hurries(HURRIED)
        self.box.kill("upload")  # it looks when it starts, and every ten minutes by surely()
        eventually(lambda: store.archives.get("juliet", id) is None)
        eventually(lambda: not store.rooms.page(room.id, Range(id - 1, id + 1), 1))
        eventually(lambda: store.uploads.get(file.id) is None)
        eventually(lambda: self.box.status("upload") is not None)


def eventually(happens):
    deadline = time.monotonic() + 30
    while not happens():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.1)


def around(moment):
    """The filter for what was said in the day from then on."""
    start, end = (datetime.fromtimestamp(at, UTC).isoformat() for at in (moment, moment + DAY))
    return form(start=start, end=end)


def test_it_jumps_while_the_box_runs_and_comes_back(box, life):
    assert DOUBTED not in box.command("status").stdout
    box.jumps(YEAR)
    assert DOUBTED in box.command("status").stdout
    life.has("before")
    life.is_looked_through()
    life.says("meanwhile")
    life.has("before", "meanwhile")
    box.jumps(0)
    assert DOUBTED not in box.command("status").stdout
    now = time.time()
    life.says("after")
    life.has("before", "meanwhile", "after")
    assert life.asks(around(now)) == [["after"]] * 2


def test_the_box_starts_while_it_is_a_year_ahead_until_the_owner_believes_it(box, life):
    box.stop()
    box.jumps(YEAR)
    box.start()
    assert DOUBTED in box.command("status").stdout
    life.is_looked_through()
    life.says("meanwhile")
    life.has("before", "meanwhile")
    box.command("clock", "accept")
    assert DOUBTED not in box.command("status").stdout
    life.says("future")
    life.is_looked_through()
    eventually(lambda: life.asks() == [["future"]] * 2)
    assert http_(box, "GET", life.place.path)[0] == 404
    box.jumps(0)
    assert DOUBTED in box.command("status").stdout
    box.command("clock", "accept")
    now = time.time()
    life.says("after")
    assert life.asks(around(now)) == [["after"]] * 2
    assert life.asks(around(now + YEAR - DAY / 2)) == [["future"]] * 2


def test_the_box_starts_without_a_time_and_what_is_said_then_comes_after_what_was_said(box, life):
    last = life.says("last")
    box.stop()
    box.jumps(-int(time.time()))
    box.start()
    assert DOUBTED in box.command("status").stdout
    life.says("later")
    life.has("before", "last", "later")
    juliet = life.comes("juliet")
    assert page(juliet, rsm(max=100, after=last)).bodies == ["later"]
    box.jumps(0)
    life.says("after")
    life.has("before", "last", "later", "after")
