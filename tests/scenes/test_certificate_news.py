"""Administrators hear that the box's certificate ends soon."""

import time

import pytest

from conftest import Cast
from hausbote.base.acme_record import AcmeRecord, write_record
from hausbote.features import certificate_news
from support.authority import Authority
from support.worlds import MemoryWorld

DAY = 86_400
ASKS = {"certificates": {"acme": "yes"}}


@pytest.fixture
def house(tmp_path):
    """house(days): people of a box whose certificate is good for so long; `look` is an hour."""
    made = []

    def house(days, life=90, **raw):
        world = MemoryWorld(tmp_path, **raw)
        people = Cast(world)
        (tmp_path / "certs").mkdir(exist_ok=True)
        Authority().issue("h", days=(days - life, days)).write(tmp_path / "certs", "box")
        people.account("nurse", "juliet")
        world.store.accounts.set_admin("nurse", True)
        people.now = time.time() + 60  # the authority's day begins with a full second
        world.host.clock = lambda: people.now
        people.look = lambda: certificate_news.look(world.host)
        made.append(people)
        return people

    yield house
    for people in made:
        for client in people.clients:
            client.wire.cut()
        people.world.close()


def test_an_administrator_is_told_once_a_day(house):
    people = house(13)
    nurse, juliet = people("nurse", "juliet")
    people.look()
    body = nurse.receives("<message from='h' type='normal'><body/></message>").findtext("*")
    assert "is good for 12 more days" in body
    assert "certs/box.pem" in body
    people.look()
    people.now += DAY - 60
    people.look()
    nurse.receives_nothing()
    people.now += 120
    people.look()
    nurse.receives("<message from='h'><body/></message>")
    juliet.receives_nothing()


def test_who_is_away_hears_it_later(house):
    people = house(3)
    people.look()
    nurse = people("nurse", available=False)
    nurse.sends("<presence/>")
    nurse.receives_any_order("<presence/>", "<message from='h'><body/></message>")


def test_a_service_that_starts_again_does_not_repeat_it(house, tmp_path):
    people = house(3)
    nurse = people("nurse")
    people.look()
    nurse.receives("<message from='h'><body/></message>")
    again = house(3)
    nurse = again("nurse")
    again.now = people.now + DAY / 2
    again.look()
    nurse.receives_nothing()


def test_while_there_is_time_nobody_is_told(house):
    people = house(15)
    nurse = people("nurse")
    people.look()
    nurse.receives_nothing()


def test_short_lives_end_soon_only_at_their_end(house):
    people = house(4, life=7)
    nurse = people("nurse")
    people.look()
    nurse.receives_nothing()
    people.now += 3 * DAY
    people.look()
    nurse.receives("<message from='h'><body/></message>")


def test_what_keeps_the_box_from_renewing_is_told_with_it(house):
    people = house(9, **ASKS)
    record = AcmeRecord(problem="Let's Encrypt cannot reach h at port 80.", next=people.now)
    write_record(people.world.settings.acme_record, record)
    nurse = people("nurse")
    people.look()
    body = nurse.receives("<message from='h'><body/></message>").findtext("*")
    assert "Let's Encrypt cannot reach h at port 80." in body
    assert "hausbote certificate status" in body


def test_one_that_has_ended_is_told(house):
    people = house(-1)
    nurse = people("nurse")
    people.look()
    body = nurse.receives("<message from='h'><body/></message>").findtext("*")
    assert "ended on" in body


def test_a_box_without_a_certificate_that_can_be_read_says_nothing_here(house, tmp_path):
    people = house(3)
    (tmp_path / "certs" / "box.pem").write_text("nonsense")
    nurse = people("nurse")
    people.look()
    nurse.receives_nothing()
