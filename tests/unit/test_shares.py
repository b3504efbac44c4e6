"""A bounded number of things, of which each party has a share."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from hausbote.base.shares import Shares


def test_who_holds_most_makes_room_and_nobody_else():
    shares = Shares(5)
    for number in range(50):
        shares.put(f"greedy {number}", "greedy", number)
        if number == 1:
            shares.put("modest", "modest", "hers")
    assert list(shares) == ["modest", "greedy 46", "greedy 47", "greedy 48", "greedy 49"]
    gone = shares.put("newcomer", "newcomer", "his")
    assert gone is not None
    assert (gone.key, gone.party, gone.value) == ("greedy 46", "greedy", 46)
    assert shares.get("modest") == "hers"


def test_among_equals_the_oldest_goes():
    shares = Shares(3)
    gone = [shares.put(party, party, None) for party in "abcde"]
    assert [one and one.key for one in gone] == [None, None, None, "a", "b"]


def test_the_same_thing_again_takes_no_place():
    shares = Shares(2)
    assert shares.put("a", "x", 1) is None
    assert shares.put("b", "x", 2) is None
    assert shares.put("a", "y", 3) is None
    assert (len(shares), shares.get("a"), shares.held_by("x")) == (2, 3, 1)
    assert shares.oldest().key == "b"


def test_what_is_renewed_is_the_newest():
    shares = Shares(2)
    shares.put("a", "x", 1)
    shares.put("b", "x", 2)
    assert shares.renew("a", 3)
    assert not shares.renew("c", 4)
    assert shares.put("c", "x", 4).key == "b"
    assert shares.get("a") == 3


def test_without_a_bound_nothing_goes():
    shares = Shares(0)
    assert all(shares.put(number, "x", None) is None for number in range(1_000))


@given(st.integers(1, 6), st.lists(st.tuples(st.booleans(), st.integers(0, 12), st.integers(0, 3))))
def test_it_always_knows_who_holds_most(total, steps):
    shares, model = Shares(total), {}
    for puts, key, party in steps:
        model.pop(key, None)
        if puts:
            model[key] = party
            gone = shares.put(key, party, party)
            if gone is not None:
                counts = Counter(model.values())
                assert counts[gone.party] == max(counts.values())
                assert gone.key == next(k for k, p in model.items() if p == gone.party)
                del model[gone.key]
        else:
            shares.pop(key)
        assert list(shares) == list(model)
        counts = Counter(model.values())
        assert all(shares.held_by(party) == counts[party] for party in range(4))
        assert counts[shares.greediest()] == max(counts.values(), default=0)
