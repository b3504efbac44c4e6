"""Services that are killed together, so that neither remembers what the other was told.

The other box sends again what was not acknowledged: it is kept and delivered once all the same.
"""

import os
import signal
import time

import pytest

from hausbote.storage import Range
from support.archive import page, rsm
from support.authority import Authority
from support.foreign import Federating, Names


@pytest.fixture
def houses(tmp_path):
    names, authority = Names(tmp_path), Authority()
    made = [
        Federating(
            tmp_path / domain, domain, f"127.0.2.{60 + number}", names, authority, direct=True
        )
        for number, domain in enumerate(("capulet.example", "montague.example"))
    ]
    yield made
    for house in made:
        house.close()
    names.stop()


def come(house, name):
    client = house.log_in(name, "home")
    client.sends("<presence/>")
    client.forget()
    return client


def said(client, to, *numbers):
    for number in numbers:
        client.sends(
            f"<message to='{to}' type='chat' id='{number}'><body>{number}</body></message>"
        )


def handled(house, service="c2s"):
    return house.status(service)["handled"]


def until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.05)


def kept_by(house):
    """What is in the archive on disk, though the service that keeps it does not answer."""
    return house.store.archives.page("juliet", Range(), 100)


def kept(client):
    client.forget()
    return page(client, rsm(max=100)).bodies


@pytest.mark.parametrize("away", [True, False])
def test_c2s_and_s2s_are_killed_before_the_other_box_hears_that_all_is_kept(houses, away):
    ours, theirs = houses
    for house, name in ((ours, "juliet"), (theirs, "romeo")):
        house.add_account(name)
    juliet, romeo = come(ours, "juliet"), come(theirs, "romeo")
    said(romeo, juliet.bare, "first")
    juliet.receives("<message><body>first</body></message>")
    if away:
        juliet.leaves()
    c2s, s2s = ours.pid("c2s"), ours.pid("s2s")
    before = handled(ours)
    os.kill(c2s, signal.SIGSTOP)
    came = handled(ours, "s2s")
    said(romeo, juliet.bare, *range(5))
    until(lambda: handled(ours, "s2s") >= came + 5)  # and wrote them to c2s, which reads nothing
    os.kill(s2s, signal.SIGSTOP)
    os.kill(c2s, signal.SIGCONT)
    until(lambda: handled(ours) >= before + 5)
    until(lambda: len(kept_by(ours)) == 6)
    os.kill(c2s, signal.SIGKILL)
    os.kill(s2s, signal.SIGKILL)
    until(lambda: ours.pid("c2s") != c2s and ours.pid("s2s") != s2s)
    said(romeo, juliet.bare, "last")
    juliet = None
    while juliet is None:
        try:
            juliet = come(ours, "juliet")
        except OSError:
            time.sleep(0.1)
    until(lambda: "last" in kept(juliet))
    everything = kept(juliet)
    assert sorted(everything) == sorted(set(everything))
    assert everything == ["first", "0", "1", "2", "3", "4", "last"]
