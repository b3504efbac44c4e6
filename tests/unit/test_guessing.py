"""Whom failed logins hold back, and whom not."""

import pytest

from hausbote.base.ways import DIRECT, WEB, foreign
from hausbote.c2s.guessing import LoginGuard

LIMIT = 10
HOME, PHONE = "192.0.2.7", "00000000-0000-4000-8000-000000000001"
PAGE, OTHER_PAGE = foreign("https://evil.example"), foreign("https://chat.example")


@pytest.fixture
def guard():
    return LoginGuard(LIMIT, lambda local, agent: (local, agent) == ("romeo", PHONE))


def guesses(guard, addresses, way=DIRECT, local="romeo", agent="", each=20):
    """How many guesses get through; half of each address's come before the next one's turn."""
    through = 0
    for address in addresses:
        for _ in range(each):
            if not guard.refuses(address, way, local, agent):
                through += 1
                guard.penalty(address, way, local, agent)
    return through


def many(count):
    return [f"198.51.{number // 250}.{number % 250}" for number in range(count)]


def test_one_address_has_so_many_tries(guard):
    assert guesses(guard, [HOME], each=50) == LIMIT


def test_many_addresses_have_not_much_more_for_one_account(guard):
    assert guesses(guard, many(200)) == 2 * LIMIT


def test_many_networks_of_one_site_have_not_more(guard):
    """An IPv6 customer has 65,536 networks, and may guess at as many accounts."""
    through = 0
    for number in range(400):
        address = f"2001:db8:1:{number:x}::1"
        through += guesses(guard, [address], local=f"person{number}", each=1)
    assert through == 20 * LIMIT


def test_one_address_has_not_much_more_for_all_accounts(guard):
    through = sum(guesses(guard, [HOME], local=f"person{n}", each=1) for n in range(200))
    assert through == 5 * LIMIT


def test_who_was_in_from_there_before_is_not_kept_out(guard):
    guard.succeeded(HOME, DIRECT, "romeo")
    guesses(guard, many(200))
    assert guard.refuses("203.0.113.1", DIRECT, "romeo", "")
    assert not guard.refuses(HOME, DIRECT, "romeo", "")
    assert guesses(guard, [HOME], each=50) == LIMIT  # and does not guess for ever


def test_a_device_that_was_in_before_is_not_kept_out_wherever_it_is(guard):
    guesses(guard, many(200))
    away = "203.0.113.1"
    assert guard.refuses(away, DIRECT, "romeo", "")
    assert guard.refuses(away, DIRECT, "romeo", "00000000-0000-4000-8000-00000000000f")
    assert not guard.refuses(away, DIRECT, "romeo", PHONE)
    assert guesses(guard, [away], agent=PHONE, each=50) == LIMIT


def test_what_a_known_device_fails_keeps_nobody_else_out(guard):
    guesses(guard, [HOME], agent=PHONE, each=50)
    assert not guard.refuses(HOME, DIRECT, "romeo", "")


def test_a_neighbour_that_guesses_does_not_keep_the_device_out(guard):
    guard.succeeded(HOME, DIRECT, "romeo")
    guesses(guard, [HOME], each=50)
    assert guard.refuses(HOME, DIRECT, "romeo", "")
    assert not guard.refuses(HOME, DIRECT, "romeo", PHONE)


def test_a_foreign_page_keeps_nobody_out(guard):
    """Neither its visitors, from their clients or from the box's own page, nor the account."""
    guesses(guard, [HOME, *many(200)], way=PAGE)
    assert guard.refuses(HOME, PAGE, "romeo", "")
    for address in (HOME, "203.0.113.1"):
        for way in (DIRECT, WEB):
            assert not guard.refuses(address, way, "romeo", "")


def test_a_foreign_page_keeps_out_no_client_of_another_page_that_was_in_before(guard):
    guard.succeeded(HOME, OTHER_PAGE, "romeo")
    guesses(guard, [HOME, *many(200)], way=PAGE)
    assert not guard.refuses(HOME, OTHER_PAGE, "romeo", "")


def test_made_up_pages_do_not_help_to_guess(guard):
    ways = [foreign(f"https://page{number}.example") for number in range(50)]
    assert sum(guesses(guard, [HOME], way=way) for way in ways) == 2 * LIMIT


def test_the_web_has_buckets_of_its_own(guard):
    guesses(guard, [HOME, *many(200)], way=WEB)
    assert guard.refuses(HOME, WEB, "romeo", "")
    assert not guard.refuses(HOME, DIRECT, "romeo", "")


def test_places_are_forgotten_when_there_are_many(guard):
    guard.succeeded(HOME, DIRECT, "romeo")
    for address in many(100):
        guard.succeeded(address, DIRECT, "romeo")
    guesses(guard, [f"100.64.{n}.1" for n in range(200)])
    assert guard.refuses(HOME, DIRECT, "romeo", "")
    assert not guard.refuses(many(100)[-1], DIRECT, "romeo", "")


def test_no_limit_means_no_limit():
    free = LoginGuard(0, lambda _local, _agent: False)
    assert guesses(free, [HOME], each=500) == 500


def test_failures_cost_more_and_more(guard):
    waits = [guard.penalty(HOME, DIRECT, "romeo", "") for _ in range(9)]
    assert waits == sorted(waits)
    assert waits[0] < 0.2
    assert waits[-1] == 5.0
