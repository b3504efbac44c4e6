"""Two houses that federate, for scenes that need no others."""

import pytest

from support.federation import make_houses


@pytest.fixture
def houses(tmp_path):
    made = make_houses(tmp_path, "capulet.example", "montague.example")
    yield made
    for house in made:
        house.close()
