"""Slots that wait for their files: how many, how large, and how long."""

import pytest

from hausbote.upload.pending import Bounds, Pending, Refusal, Slot, refusal

ROMEO, JULIET = 1, 2
DAY = 86_400
NOW = 20_000 * DAY
FREE = Bounds(slots=1_000, account_bytes=0, day_bytes=0, total_bytes=0, oldest_go=True)


class Uploads:
    """What the store says is there."""

    def __init__(self):
        self.sizes = {ROMEO: 0, JULIET: 0}
        self.today = {ROMEO: 0, JULIET: 0}

    def stored(self, account):
        return self.sizes[account]

    def on_day(self, account, now):
        return self.today[account] if now < NOW + DAY else 0

    def total(self):
        return sum(self.sizes.values())


class Desk:
    """Gives slots."""

    def __init__(self):
        self.uploads = Uploads()
        self.pending = Pending()

    def ask(self, id, size=10, account=ROMEO, now=NOW, **bounds):
        bounds = FREE._replace(**bounds)
        why_not = refusal(self.uploads, self.pending, account, size, bounds, now)
        if why_not is None:
            slot = Slot(id, account, "x.jpg", "image/jpeg", size, b"key", now + 300)
            self.pending.add(slot, now)
        return why_not


@pytest.fixture
def desk():
    return Desk()


def test_slots_are_bounded_until_they_are_over_or_filled(desk):
    desk.ask("a")
    desk.ask("b")
    assert desk.ask("c", slots=2) is Refusal.SLOTS
    assert desk.ask("c", account=JULIET, slots=2) is None
    desk.pending.remove(desk.pending.get("a"))
    assert desk.ask("d", slots=2) is None
    assert desk.ask("e", slots=2) is Refusal.SLOTS
    assert desk.ask("e", slots=2, now=NOW + 300) is None


def test_what_is_being_filled_counts_however_long_it_takes(desk):
    desk.ask("a")
    desk.pending.get("a").busy = True
    assert desk.ask("b", slots=1, now=NOW + 100_000) is Refusal.SLOTS
    assert desk.pending.get("a") is not None
    desk.pending.get("a").busy = False
    assert desk.ask("b", slots=1, now=NOW + 100_000) is None


def test_a_slot_that_is_over_is_known_for_a_while_and_then_forgotten(desk):
    desk.ask("a")
    desk.ask("b", now=NOW + 800)
    assert desk.pending.get("a").until == NOW + 300
    desk.ask("c", now=NOW + 901)
    assert desk.pending.get("a") is None
    assert desk.pending.get("b") is not None


def test_a_share_is_used_up_by_what_is_there_unless_the_oldest_go(desk):
    desk.uploads.sizes[ROMEO] = 20
    share = {"account_bytes": 30, "oldest_go": False}
    assert desk.ask("b", 11, **share) is Refusal.ACCOUNT
    assert desk.ask("b", 11, account_bytes=30) is None
    desk.pending.remove(desk.pending.get("b"))
    assert desk.ask("b", 10, **share) is None
    assert desk.ask("c", 5, **share) is Refusal.SLOTS
    desk.uploads.sizes[ROMEO] = 0
    assert desk.ask("c", 5, **share) is None


def test_one_file_may_not_be_larger_than_all(desk):
    assert desk.ask("a", 31, account_bytes=30) is Refusal.ACCOUNT


def test_what_is_announced_counts(desk):
    assert desk.ask("a", 20, account_bytes=30) is None
    assert desk.ask("b", 11, account_bytes=30) is Refusal.SLOTS
    assert desk.ask("b", 11, JULIET, account_bytes=30) is None


def test_a_day_has_its_share(desk):
    desk.uploads.today[ROMEO] = 30
    assert desk.ask("a", 1, day_bytes=30) is Refusal.DAY
    assert desk.ask("a", 30, JULIET, day_bytes=30) is None
    assert desk.ask("b", 30, now=NOW + DAY, day_bytes=30) is None


def test_the_box_has_its_share(desk):
    desk.uploads.sizes[ROMEO] = 10
    desk.ask("b", 10, JULIET)
    assert desk.ask("c", 11, total_bytes=30) is Refusal.TOTAL
    assert desk.ask("c", 10, total_bytes=30) is None
