"""People of two boxes: messages, subscriptions, presence."""

import pytest

from support.federation import make_houses
from support.worlds import PASSWORD


@pytest.fixture
def houses(tmp_path):
    made = make_houses(tmp_path, "capulet.example", "montague.example")
    yield made
    for house in made:
        house.close()


def log_in(house, name, resource="home"):
    house.add_account(name)
    client = house.client().log_in(name, PASSWORD, resource)
    client.sends("<presence/>")
    client.forget()
    return client


@pytest.fixture
def lovers(houses):
    return log_in(houses[0], "juliet"), log_in(houses[1], "romeo")


def test_a_message_and_its_answer(lovers):
    juliet, romeo = lovers
    juliet.sends(f"<message to='{romeo.bare}' type='chat' id='1'><body>Romeo?</body></message>")
    romeo.receives(
        f"<message to='{romeo.bare}' from='{juliet.jid}' id='1'><body>Romeo?</body></message>"
    )
    romeo.sends(f"<message to='{juliet.jid}' type='chat'><body>My dear?</body></message>")
    juliet.receives(f"<message from='{romeo.jid}'><body>My dear?</body></message>")
