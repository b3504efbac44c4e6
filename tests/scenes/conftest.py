"""Two houses that federate, and worlds with other settings, for scenes that need no others."""

import pytest

from conftest import Cast
from support.federation import make_houses
from support.worlds import MemoryWorld


@pytest.fixture
def houses(tmp_path):
    made = make_houses(tmp_path, "capulet.example", "montague.example")
    yield made
    for house in made:
        house.close()


@pytest.fixture
def own_cast(tmp_path):
    """People of a world with other settings."""
    made = []

    def make(**overrides):
        world = MemoryWorld(tmp_path, **overrides)
        people = Cast(world)
        made.append((world, people))
        return people

    yield make
    for world, people in made:
        for client in people.clients:
            client.wire.cut()
        world.close()
