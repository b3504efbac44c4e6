"""XEP-0479, row by row: what is announced, and which test proves it.

`pytest -s tests/scenes/test_compliance_suites.py` prints the table.
"""

from pathlib import Path

import pytest

from support.compliance import DISCO, ROWS
from support.worlds import PASSWORD

TESTS = Path(__file__).parents[1]
ITEMS = DISCO.replace("#info", "#items")


class Announced:
    """Everything that a client of the box is told, by place."""

    def __init__(self, cast):
        cast.account("romeo")
        client = cast.world.client()
        features = []
        opened = client.open

        def open_and_note(**attributes):
            features.append({one.tag for one in opened(**attributes)})

        before = {one.tag for one in client.secure()}
        client.wire.cut()
        client = cast.world.client()
        opened = client.open
        client.open = open_and_note
        try:
            client.log_in("romeo", PASSWORD)
        finally:
            client.open = opened
        self.by_place = {
            "before login": before,
            "after login": features[-1],
            "server": self._info(client, "h"),
            "account": self._info(client, "romeo@h"),
            "service": set(),
        }
        client.sends(f"<iq type='get' id='q' to='h'><query xmlns='{ITEMS}'/></iq>")
        for item in client.next()[0]:
            self.by_place["service"] |= self._info(client, item.get("jid"))
        client.wire.cut()

    @staticmethod
    def _info(client, jid):
        client.sends(f"<iq type='get' id='q' to='{jid}'><query xmlns='{DISCO}'/></iq>")
        answer = client.next()
        if answer.get("type") != "result":
            return set()
        features = {one.get("var") for one in answer[0].findall(f"{{{DISCO}}}feature")}
        identities = answer[0].findall(f"{{{DISCO}}}identity")
        return features | {f"{one.get('category')}/{one.get('type')}" for one in identities}

    def __contains__(self, place):
        return place.what in self.by_place[place.where]


@pytest.fixture
def announced(cast):
    return Announced(cast)


def test_what_the_suites_ask_for_is_announced(announced):
    missing = []
    for row in ROWS:
        seen = all(place in announced for place in row.places)
        state = f"waits for {row.waits_for}" if row.waits_for else row.proof
        where = ", ".join(f"{place.where}: {place.what}" for place in row.places) or "-"
        print(f"{row.suite:7}{row.level:16}{row.feature:45}{row.standard:18}{where}  [{state}]")
        if not seen and not row.waits_for:
            missing.append(row)
    assert missing == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.suite}-{row.standard}")
def test_every_row_has_a_proof_or_waits_for_one(row):
    assert bool(row.proof) != bool(row.waits_for)
    if row.proof:
        file, _, name = row.proof.partition("::")
        text = (TESTS / file).read_text()
        assert f"def {name or 'test_'}" in text
