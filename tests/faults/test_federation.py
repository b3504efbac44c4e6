"""Two running boxes, and s2s processes that are killed while messages are on their way."""

import random
import time

import pytest

from support.authority import Authority
from support.foreign import Federating, Names


@pytest.fixture
def houses(tmp_path):
    names, authority = Names(tmp_path), Authority()
    made = [
        Federating(
            tmp_path / domain, domain, f"127.0.2.{20 + number}", names, authority, direct=True
        )
        for number, domain in enumerate(("capulet.example", "montague.example"))
    ]
    yield made
    for house in made:
        house.close()
    names.stop()


def come(house, name):
    house.add_account(name)
    client = house.log_in(name, "home")
    client.sends("<presence/>")
    client.forget()
    return client


def test_s2s_is_killed_on_both_sides_and_all_messages_arrive_once_and_in_order(houses):
    juliet, romeo = come(houses[0], "juliet"), come(houses[1], "romeo")
    chance = random.Random(4)
    for number in range(600):
        juliet.sends(
            f"<message to='{romeo.bare}' type='chat' id='{number}'><body>{number}</body></message>"
        )
        if number % 150 == 75:
            time.sleep(chance.uniform(0, 0.02))
            houses[(number // 150) % 2].kill("s2s")
    deadline = time.monotonic() + 60
    for number in range(600):
        stanza = romeo.next(deadline - time.monotonic())
        assert stanza is not None, f"{number} does not come"
        assert stanza.findtext("{jabber:client}body") == str(number)
    romeo.receives_nothing()
    juliet.receives_nothing()


def test_200_messages_wait_for_a_box_that_is_down_and_survive_a_kill(houses):
    juliet, romeo = come(houses[0], "juliet"), come(houses[1], "romeo")
    romeo.wire.cut()
    houses[1].stop()
    for number in range(200):
        juliet.sends(
            f"<message to='{romeo.bare}' type='chat' id='{number}'><body>{number}</body></message>"
        )
    juliet.receives_nothing()
    houses[0].kill("s2s")
    juliet.sends(f"<message to='{romeo.bare}' type='chat' id='200'><body>200</body></message>")
    juliet.receives_nothing()
    houses[1].start()
    romeo = houses[1].log_in("romeo", "home")
    romeo.sends("<presence/>")
    romeo.receives("<presence/>")
    deadline = time.monotonic() + 60
    for number in range(201):
        stanza = romeo.next(deadline - time.monotonic())
        assert stanza is not None, f"{number} does not come"
        assert stanza.findtext("{jabber:client}body") == str(number)
    romeo.receives_nothing()


def test_a_box_that_stops_says_goodbye_to_people_elsewhere(houses):
    juliet, romeo = come(houses[0], "juliet"), come(houses[1], "romeo")
    juliet.sends(f"<presence to='{romeo.jid}'/>")
    romeo.receives(f"<presence from='{juliet.jid}'/>")
    houses[0].stop()
    romeo.receives(f"<presence from='{juliet.jid}' type='unavailable'/>")
    houses[0].start()
