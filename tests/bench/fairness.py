"""How long others wait while somebody is greedy, with all limits as they are by default.

    fairness.py [--seconds 10] [--greedy 1 10] [--attacks block presence ...]

Starts a box of its own.  Each attack is made by that many accounts at once, each sending its next dear
stanza when the last one was answered; meanwhile another account pings the server twenty times a
second (in rooms: itself, in a room of its own).  Prints one row per attack: the milliseconds that a ping took (median, 99th percentile, most),
and how many dear stanzas were answered.
"""

import argparse
import multiprocessing
import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.pep import arrives, publish
from support.rooms import ADMIN, OWNER, Room
from support.worlds import PASSWORD, RunningWorld

_PERIOD = 0.05  # seconds between two pings
_NODES = [f"urn:node:{number}" for number in range(40)]
_LETTERS = [chr(code) for code in range(0x4E00, 0x9FA0)]


def addresses(count=110):
    """Of a kilobyte each, in letters that PRECIS has to look up; never the same twice."""
    local = "".join(random.choices(_LETTERS, k=330))
    return [f"{local[:320]}{random.choice(_LETTERS)}{n}@elsewhere.example" for n in range(count)]


def listed(element):
    return "".join(f"<{element} jid='{jid}'/>" for jid in addresses())


def block(_client):
    while True:
        yield f"<iq type='set' id='dear'><block xmlns='urn:xmpp:blocking'>{listed('item')}</block></iq>"
        yield "<iq type='set' id='dear'><unblock xmlns='urn:xmpp:blocking'/></iq>"


def preferences(_client):
    while True:
        jids = "".join(f"<jid>{jid}</jid>" for jid in addresses())
        yield (
            "<iq type='set' id='dear'><prefs xmlns='urn:xmpp:mam:2' default='roster'>"
            f"<always>{jids}</always><never/></prefs></iq>"
        )


def affiliations(client):
    room = Room(f"bench{random.randrange(10**9)}").make(client, "greedy")
    while True:
        people = addresses()
        for affiliation in ("outcast", "none"):
            items = "".join(f"<item affiliation='{affiliation}' jid='{jid}'/>" for jid in people)
            yield (
                f"<iq type='set' id='dear' to='{room.jid}'><query xmlns='{ADMIN}'>{items}</query>"
                "</iq>"
            )


def room_form(client):
    room = Room(f"bench{random.randrange(10**9)}").make(client, "greedy")
    while True:
        values = "".join(f"<value>{jid}</value>" for jid in addresses())
        field = f"<field var='muc#roomconfig_roomadmins'>{values}</field>"
        yield (
            f"<iq type='set' id='dear' to='{room.jid}'><query xmlns='{OWNER}'>"
            f"<x xmlns='jabber:x:data' type='submit'>{field}</x></query></iq>"
        )


def presence(client):
    """Seven megabytes of last items each time."""
    for node in _NODES:
        client.sends(publish(node, f"<n xmlns='urn:n'>{'x' * 180_000}</n>"))
        client.answer("1")
    arrives(client, *_NODES)
    while True:
        yield (
            "<presence type='unavailable'/><presence/>"
            "<iq type='get' id='dear'><ping xmlns='urn:xmpp:ping'/></iq>"
        )


def private(client):
    note = f"<note xmlns='urn:note'>{'x' * 200_000}</note>"
    client.sends(f"<iq type='set' id='0'><query xmlns='jabber:iq:private'>{note}</query></iq>")
    client.answer("0")
    while True:
        yield (
            "<iq type='get' id='dear'><query xmlns='jabber:iq:private'><note xmlns='urn:note'/>"
            "</query></iq>"
        )


ATTACKS = (block, preferences, affiliations, room_form, presence, private)


def greedy(world, attack, local, ready, answered):
    os.nice(19)  # it stands for another machine: what is measured is the box and not this scheduler
    client = world.client().log_in(local, PASSWORD, "greedy")
    stanzas = attack(client)
    first = next(stanzas)
    ready.release()
    client.sends(first)
    for stanza in stanzas:
        client.answer("dear")
        with answered.get_lock():
            answered.value += 1
        client.sends(stanza)


def pings(world, seconds, *, in_room=False):
    """Milliseconds that each took: of the server, or of oneself in a room (XEP-0410)."""
    client = world.client().log_in("patient", PASSWORD, "here")
    to = client.domain
    if in_room:
        to = Room(f"bench{random.randrange(10**9)}").make(client, "patient").nick("patient")
    took = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        client.sends(f"<iq type='get' id='p' to='{to}'><ping xmlns='urn:xmpp:ping'/></iq>")
        client.answer("p")
        took.append((time.monotonic() - began) * 1_000)
        time.sleep(max(0.0, _PERIOD - took[-1] / 1_000))
    client.leaves()
    return took


def measure(world, attack, count, seconds):
    ready, answered = multiprocessing.Semaphore(0), multiprocessing.Value("i", 0)
    attackers = [
        multiprocessing.Process(
            target=greedy, args=(world, attack, f"greedy{n}", ready, answered), daemon=True
        )
        for n in range(count)
    ]
    for one in attackers:
        one.start()
    for _ in attackers:
        ready.acquire()
    took = pings(world, seconds, in_room=attack in (affiliations, room_form))
    for one in attackers:
        one.kill()
        one.join()
    return took, answered.value


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--greedy", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--attacks", nargs="+", default=[one.__name__ for one in ATTACKS])
    options = parser.parse_args()
    random.seed(1)
    multiprocessing.set_start_method("fork")
    with tempfile.TemporaryDirectory() as directory:
        world = RunningWorld(Path(directory) / "state", "limits.login_attempts=1000")
        try:
            for local in ("patient", *(f"greedy{n}" for n in range(max(options.greedy)))):
                world.add_account(local)
            print(
                "| attack | accounts | median | 99 % | most | dear stanzas |\n|---|---|---|---|---|---|"
            )
            for attack in (None, *[one for one in ATTACKS if one.__name__ in options.attacks]):
                for count in options.greedy if attack else [0]:
                    took, answered = measure(world, attack, count, options.seconds)
                    worst = statistics.quantiles(took, n=100)[98]
                    name = attack.__name__ if attack else "none"
                    figures = f"{statistics.median(took):.1f} | {worst:.1f} | {max(took):.1f}"
                    print(f"| {name} | {count} | {figures} | {answered} |", flush=True)
        finally:
            world.close()


if __name__ == "__main__":
    main()
