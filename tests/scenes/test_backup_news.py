"""Administrators hear of backups that fail or are too old, and when there is a good one again."""

import shutil

import pytest

from hausbote.base.backup_record import Record, write_record
from hausbote.features import backup_news
from support.worlds import PASSWORD, MemoryWorld

DAY = 86_400.0
FAILED = "There is no repository at /media/usb/hausbote: is its disk connected and mounted?"


@pytest.fixture
def world(tmp_path):
    memory = MemoryWorld(tmp_path, backup={"repository": "/media/usb/hausbote"})
    memory.now = 1_800_000_000.0
    memory.host.clock = lambda: memory.now
    memory.settings.backup_dir.mkdir()
    for name in ("romeo", "juliet"):
        memory.add_account(name)
    memory.store.accounts.set_admin("romeo", True)
    yield memory
    memory.close()


@pytest.fixture
def people(world):
    found = []
    for name in ("romeo", "juliet"):
        client = world.client().log_in(name, PASSWORD)
        client.sends("<presence/>")
        client.forget()
        found.append(client)
    return found


def record(world, **known):
    write_record(world.settings.backup_dir, Record(**known))
    backup_news.look(world.host)


def news(client):
    return ["".join(one.itertext()) for one in client.came() if one.tag.endswith("}message")]


def test_administrators_hear_of_a_failure_once_a_day_and_of_its_end(world, people):
    romeo, juliet = people
    record(world, made_at=world.now)
    assert news(romeo) == []
    record(world, made_at=world.now, failed_at=world.now, failure=FAILED)
    (told,) = news(romeo)
    assert FAILED in told
    for _ in range(3):
        world.now += DAY / 4
        backup_news.look(world.host)
    assert news(romeo) == []
    world.now += DAY / 4
    backup_news.look(world.host)
    assert FAILED in news(romeo)[0]
    record(world, made_at=world.now)
    assert news(romeo) == ["There is a good backup of this server again."]
    assert news(juliet) == []


def test_administrators_hear_that_there_was_no_backup_for_days(world, people):
    record(world, made_at=world.now - 4 * DAY)
    assert "no good backup for 4 days" in news(people[0])[0]


def test_a_service_that_starts_again_does_not_say_it_again(world, people):
    record(world, failed_at=world.now, failure=FAILED)
    assert len(news(people[0])) == 1
    world.host.state(backup_news._Told).at = None  # as in a new process
    world.now += 100
    backup_news.look(world.host)
    assert news(people[0]) == []
    shutil.rmtree(world.settings.backup_dir)
    world.host.state(backup_news._Told).at = None
    backup_news.look(world.host)
    assert news(people[0]) == []


def test_the_data_policy_tells_of_the_boxs_own_backups(world, people):
    people[0].sends(
        "<iq type='get' id='d' to='h'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    )
    said = {
        field.get("var"): [value.text for value in field]
        for field in people[0].answer("d").iter("{jabber:x:data}field")
    }
    assert said["backup_frequency"] == ["24"]
    assert said["backup_retention"] == [str(12 * 31 * 24)]
