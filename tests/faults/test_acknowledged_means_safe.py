"""What was acknowledged (XEP-0198) survives the death of the process, at whatever moment it dies."""

import random
import threading
import time
from collections import Counter

import pytest

from support.archive import page, rsm
from support.worlds import PASSWORD, RunningWorld

SM = "urn:xmpp:sm:3"
ROUNDS = 6


@pytest.fixture
def house(tmp_path):
    world = RunningWorld(
        tmp_path / "state", "limits.offline_messages=0", "limits.bytes_per_second=0",
        address="127.0.0.16",
    )  # fmt: skip
    world.add_account("romeo")
    world.add_account("juliet")
    yield world
    world.close()


def patient_login(house, name, resource=None):
    """As soon as the service is back."""
    deadline = time.monotonic() + 30
    while True:
        try:
            return house.client().log_in(name, PASSWORD, resource)
        except (OSError, AttributeError):  # the stream ended in the middle of something
            assert time.monotonic() < deadline
            time.sleep(0.1)


class Sender:
    """Sends numbered messages as quickly as it can; knows what was acknowledged."""

    def __init__(self, client, first):
        self.client = client
        self.first = first
        self.sent = 0
        self.acked = 0
        client.send(f"<enable xmlns='{SM}'/>")
        assert client.next().tag == f"{{{SM}}}enabled"
        self._threads = [threading.Thread(target=self._send), threading.Thread(target=self._hear)]
        for thread in self._threads:
            thread.start()

    def _send(self):
        try:
            while True:
                number = self.first + self.sent
                self.client.send(
                    f"<message to='juliet@h' type='chat' id='{number}'><body>{number}</body></message>"
                    f"<r xmlns='{SM}'/>"
                )
                self.sent += 1
        except OSError:
            pass

    def _hear(self):
        try:
            while (element := self.client.next(20)) is not None:
                if element.tag == f"{{{SM}}}a":
                    self.acked = int(element.get("h"))
        except OSError:
            pass

    def until_the_end(self):
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()


def test_what_was_acknowledged_is_there_exactly_once(house):
    seed = random.randrange(2**32)
    print("seed", seed)  # pytest shows it if the test fails
    dice = random.Random(seed)
    acknowledged, number = set(), 0
    for _ in range(ROUNDS):
        sender = Sender(patient_login(house, "romeo"), number)
        time.sleep(dice.uniform(0.05, 0.7))
        house.kill("c2s")
        sender.until_the_end()
        acknowledged |= set(range(number, number + sender.acked))
        number += sender.sent
    assert len(acknowledged) > 20 * ROUNDS
    juliet = patient_login(house, "juliet")
    juliet.sends("<presence/>")
    waiting = Counter()
    while (element := juliet.next(3)) is not None:
        body = element.findtext("{jabber:client}body")
        if body is not None:
            waiting[int(body)] += 1
    romeo = patient_login(house, "romeo")
    for place, found in (
        ("kept for juliet", waiting),
        ("juliet's archive", archived(juliet)),
        ("romeo's archive", archived(romeo)),
    ):
        missing = acknowledged - set(found)
        assert not missing, f"{len(missing)} of {len(acknowledged)} are lost: {place}"
        assert set(found.values()) == {1}, place


def archived(client):
    """How often which number is in the client's archive."""
    found, after = Counter(), ""
    while True:
        came = page(client, rsm(max=100, after=after) if after else rsm(max=100))
        found.update(int(body) for body in came.bodies)
        if came.complete:
            return found
        after = came.told("last")


def test_a_restart_loses_nothing_that_a_client_did_not_acknowledge(house):
    """What went to a client and was not acknowledged waits for it, over a restart, once.

    It cannot resume its session, and takes its place.
    """
    romeo = patient_login(house, "romeo")
    juliet = patient_login(house, "juliet", "balcony")
    juliet.sends("<presence/>")
    juliet.receives("<presence/>")
    juliet.send(f"<enable xmlns='{SM}' resume='true'/>")
    juliet.next()
    for number in range(20):
        romeo.sends(f"<message to='juliet@h' type='chat'><body>{number}</body></message>")
    romeo.settle()
    juliet.wire.cut()
    for number in range(20, 30):
        romeo.sends(f"<message to='juliet@h' type='chat'><body>{number}</body></message>")
    romeo.settle()
    house.stop()
    house.start()
    juliet = patient_login(house, "juliet", "balcony")
    juliet.sends("<presence/>")
    juliet.receives("<presence/>")
    for number in range(30):
        juliet.receives(f"<message><body>{number}</body></message>")
    juliet.receives_nothing()
