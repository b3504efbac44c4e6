"""So many at once, and so few for the same somebody."""

import gevent
import pytest

from hausbote.net.turns import NoTurn, Share, Turns, of_name

ALL = Share("all", 4)


def crowd(turns, *crowds):
    """Greenlets that each take a turn of these shares and keep it; what they hold, in order."""
    holding = []

    def hold(shares):
        with turns.taken(*shares):
            holding.append(shares)
            gevent.sleep(60)

    greenlets = [gevent.spawn(hold, shares) for shares in crowds]
    gevent.sleep(0)
    return greenlets, holding


def test_one_owner_of_many_names_leaves_turns_for_others():
    turns = Turns(60.0)
    many = [(of_name(f"x{number}.y{number}.evil.example", 2), ALL) for number in range(50)]
    friend = (of_name("friend.example", 2), ALL)
    greenlets, holding = crowd(turns, *many, friend)
    assert len(holding) == 3
    assert friend in holding
    assert turns.wanted(*many[0])
    assert not turns.wanted(*friend)
    gevent.killall(greenlets)


def test_all_together_have_so_many():
    turns = Turns(60.0)
    greenlets, holding = crowd(turns, *[(Share(number, 1), ALL) for number in range(9)])
    assert len(holding) == 4
    gevent.killall(greenlets[:4])
    gevent.sleep(0)
    assert len(holding) == 8
    gevent.killall(greenlets)
    assert not turns._lines, "what nobody waits for is forgotten"


def test_patience_has_an_end():
    turns = Turns(0.0)
    with turns.taken(Share("a", 1)):
        with pytest.raises(NoTurn), turns.taken(Share("b", 1), Share("a", 1)):
            raise AssertionError("that was one too many")
        with turns.taken(Share("b", 1)):
            pass


def test_names_count_for_those_who_registered_them():
    share = of_name("a.b.home.example", 5)
    assert share == of_name("home.example", 5)
    assert share != of_name("b.example", 5)
    assert of_name("a.dyndns.org", 5) != of_name("b.dyndns.org", 5)
