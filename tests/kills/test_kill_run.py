"""Two federating boxes whose services are killed again and again while people talk and send files.

    make kills              300 kills
    make kills KILLS=500

What was acknowledged is kept exactly once: messages to another box, within the box and in rooms, in
every archive that they belong to; files whose upload was confirmed are there as they were sent.
Nothing comes twice in one session.  What a sender was told of with an error is not lost.
"""

import os
import random
import time

import pytest

from support.audit import archived, audit, missing_files
from support.authority import Authority
from support.foreign import Federating, Names
from support.kill_people import Listener, Talker, Uploader

KILLS = int(os.environ.get("KILLS", "300"))
SERVICES = ("c2s", "s2s", "rooms", "upload")
PACE = (0.3, 1.2)  # seconds between two kills
MANY = (
    "limits.bytes_per_second=0",
    "limits.offline_messages=0",
    "limits.login_attempts=0",
    "upload.account_bytes=0",
    "upload.day_bytes=0",
)


@pytest.fixture
def boxes(tmp_path):
    names, authority = Names(tmp_path), Authority()
    made = [
        Federating(
            tmp_path / domain,
            domain,
            f"127.0.2.{30 + number}",
            names,
            authority,
            *MANY,
            direct=True,
        )
        for number, domain in enumerate(("capulet.example", "montague.example"))
    ]
    yield made
    for box in made:
        box.close()
    names.stop()


def test_nothing_acknowledged_is_lost_or_doubled(boxes):
    seed = int(os.environ.get("SEED", random.randrange(2**32)))
    print("seed", seed)  # pytest shows it if the test fails
    dice = random.Random(seed)
    people = cast(boxes)
    for one in people:
        one.start()
    kill_services(boxes, dice)
    for one in people:
        one.stop()
    for one in people:
        one.join()
    talkers = [one for one in people if isinstance(one, Talker)]
    listeners = [one for one in people if isinstance(one, Listener)]
    assert all(len(talker.acknowledged()) > KILLS for talker in talkers)
    settle(boxes, talkers)
    problems = [line for talker in talkers for line in audit(talker)]
    problems += [line for one in (*talkers, *listeners) for line in one.twice]
    problems += [line for one in people if isinstance(one, Uploader) for line in missing_files(one)]
    print(*(talker.summary() for talker in talkers), sep="\n")
    assert not problems, "\n".join(problems[:40])


def cast(boxes):
    """In each box somebody who talks, somebody who is talked to, and somebody who sends files."""
    for box in boxes:
        for name in ("talker", "listener", "sender"):
            box.add_account(name)
    return [
        one
        for box, other in (boxes, reversed(boxes))
        for one in (
            Listener(box, "listener"),
            Talker(box, "talker", other),
            Uploader(box, "sender"),
        )
    ]


def kill_services(boxes, dice):
    """One at a time most often; sometimes two of one box at once, which lose what both remember."""
    done = 0
    while done < KILLS:
        box = dice.choice(boxes)
        for service in dice.sample(SERVICES, dice.choice((1, 1, 1, 2))):
            box.kill(service)
            done += 1
        time.sleep(dice.uniform(*PACE))


def settle(boxes, talkers):
    """Wait until what each box has for the other has arrived: one more message of each did, and
    messages from one sender to one recipient stay in order."""
    for box in boxes:
        for service in SERVICES:
            box.pid(service)
    last = {talker: talker.say_last() for talker in talkers}
    deadline = time.monotonic() + 120
    for talker, number in last.items():
        while f"{number}" not in archived(talker.other, "listener", talker.bare):
            assert time.monotonic() < deadline, "the queue for the other box does not drain"
            time.sleep(1)
