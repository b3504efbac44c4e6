"""Administrators hear what is wrong with the storage, before it hurts and when it is over."""

import gevent
import pytest

from conftest import Cast
from hausbote.base.troubles import READ_ONLY, Trouble
from hausbote.features import health_news
from support.worlds import MemoryWorld

DAY = 86_400.0
FAILS = Trouble("smart:sda:failing", 1, "The disk sda is failing.", "The disk sda is well again.")
FULL = Trouble("space", 1, "The disk is full in 12 days.", "The disk has room again.")


@pytest.fixture
def house(tmp_path):
    """house(): the people of a box; `finds` is what its look at the storage has found."""
    made = []

    def house():
        world = MemoryWorld(tmp_path)
        people = Cast(world)
        people.account("nurse", "juliet")
        world.store.accounts.set_admin("nurse", True)
        people.now = made[-1].now if made else 1_800_000_000.0
        world.host.clock = lambda: people.now
        people.finds = lambda *troubles: health_news.tell(world.host, list(troubles))
        made.append(people)
        return people

    yield house
    for people in made:
        for client in people.clients:
            client.wire.cut()
        people.world.close()


def told(client, type="normal"):
    """The next message, which is the server's."""
    message = client.receives(f"<message from='h' type='{type}'><body/></message>")
    return message.findtext("*")


def test_administrators_hear_it_once(house):
    people = house()
    nurse, juliet = people("nurse", "juliet")
    people.finds(FAILS)
    assert told(nurse) == FAILS.told
    for _ in range(20):
        people.now += DAY
        people.finds(FAILS)
    nurse.receives_nothing()
    juliet.receives_nothing()


def test_several_at_once_are_one_message(house):
    people = house()
    nurse = people("nurse")
    people.finds(FAILS, FULL)
    assert told(nurse).splitlines() == [FAILS.told, FULL.told]
    nurse.receives_nothing()


def test_they_hear_it_again_when_it_is_worse_and_after_a_month(house):
    people = house()
    nurse = people("nurse")
    people.finds(FULL)
    told(nurse)
    worse = FULL._replace(level=2, told="The disk is full in 2 days.")
    people.finds(worse)
    assert told(nurse) == worse.told
    people.finds(FULL)  # a little better is no news
    nurse.receives_nothing()
    people.now += 30 * DAY
    people.finds(FULL)
    assert told(nurse) == FULL.told


def test_they_hear_that_it_is_over_after_a_day(house):
    people = house()
    nurse = people("nurse")
    people.finds(FAILS)
    told(nurse)
    people.finds()
    people.now += DAY / 2
    people.finds()
    nurse.receives_nothing()
    people.now += DAY / 2
    people.finds()
    assert told(nurse) == FAILS.over
    people.now += DAY
    people.finds()
    nurse.receives_nothing()
    people.finds(FAILS)
    assert told(nurse) == FAILS.told


def test_what_comes_and_goes_within_a_day_is_one_trouble(house):
    people = house()
    nurse = people("nurse")
    people.finds(FULL)
    told(nurse)
    for _ in range(10):
        people.now += DAY / 4
        people.finds()
        people.now += DAY / 4
        people.finds(FULL)
    nurse.receives_nothing()


def test_who_is_away_hears_it_later(house):
    people = house()
    people.finds(FAILS)
    nurse = people("nurse", available=False)
    nurse.sends("<presence/>")
    nurse.receives_any_order("<presence/>", "<message from='h'><body/></message>")


def test_a_service_that_starts_again_does_not_repeat_it(house):
    people = house()
    nurse = people("nurse")
    people.finds(FAILS)
    told(nurse)
    again = house()
    nurse = again("nurse")
    again.finds(FAILS)
    nurse.receives_nothing()
    (again.world.settings.health_dir / "told.json").write_text('{"smart:sda:failing": 3}')
    once_more = house()
    nurse = once_more("nurse")
    once_more.finds(FAILS)
    assert told(nurse) == FAILS.told


def test_what_another_part_tells_is_not_told_twice_but_its_end_is(house):
    people = house()
    nurse = people("nurse")
    people.finds(FULL._replace(level=3, elsewhere=True))
    nurse.receives_nothing()
    people.finds()
    people.now += DAY
    people.finds()
    assert told(nurse) == FULL.over


def test_what_cannot_be_kept_is_said_to_those_who_are_there_and_again_the_next_day(house):
    people = house()
    gone = Trouble(READ_ONLY, 1, "The file system is read-only.", "It can be written again.")
    nurse = people("nurse")
    people.finds(gone)
    assert told(nurse, "headline") == gone.told
    people.now += DAY / 2
    people.finds(gone)
    nurse.receives_nothing()
    people.now += DAY / 2
    people.finds(gone)
    assert told(nurse, "headline") == gone.told
    people.finds()
    people.now += DAY
    people.finds()
    assert told(nurse) == gone.over


def test_on_a_full_disk_likewise(house):
    people = house()
    nurse = people("nurse")
    people.world.store.reserve.size = 1 << 60
    while not people.world.store.reserve.is_low:  # it looks now and then
        gevent.sleep(0.01)
    people.finds(FAILS)
    assert told(nurse, "headline") == FAILS.told


def test_the_log_says_what_it_is_and_names_no_disk(house, capfd):
    people = house()
    people.finds(FAILS, FULL)
    said = capfd.readouterr().err
    assert "storage-trouble what=smart:failing level=1" in said
    assert "storage-trouble what=space level=1" in said
    assert "sda" not in said
