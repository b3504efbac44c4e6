"""Who may connect: so many of each network and site, and so many in all."""

from hausbote.net.address_book import AddressBook


class Guests:
    """Connections by name; `ended` are those that had to go."""

    def __init__(self, book):
        self.book, self.ended, self.entries = book, [], {}

    def comes(self, name, address):
        entry = self.book.enter(address)
        if entry is None:
            return False
        self.entries[name] = entry

        def end():
            self.ended.append(name)
            entry.leave()

        entry.end = end
        return True


def test_a_network_has_so_many_and_a_site_four_times_as_many():
    guests = Guests(AddressBook(2))
    came = [guests.comes(n, f"2001:db8:1:{n % 6}::{n}") for n in range(24)]
    assert came.count(True) == 8
    assert [guests.comes(n, "2001:db8:2::1") for n in "abc"] == [True, True, False]
    guests.entries["a"].leave()
    guests.entries["a"].leave()
    assert [guests.comes(n, "2001:db8:2::1") for n in "de"] == [True, False]


def test_when_all_places_are_taken_the_oldest_stranger_of_the_greediest_site_goes():
    guests = Guests(AddressBook(0, most=5))
    guests.comes("friend", "192.0.2.1")
    for number in range(20):
        assert guests.comes(number, f"2001:db8:1:{number}::1")
    assert guests.comes("newcomer", "192.0.2.2")
    assert guests.ended == list(range(17))
    assert guests.comes("another", "192.0.2.3")
    assert guests.ended[-1] == 17


def test_who_is_known_makes_room_for_nobody():
    guests = Guests(AddressBook(0, most=3))
    for name in "abc":
        guests.comes(name, "192.0.2.1")
        guests.entries[name].known()
    assert not guests.comes("d", "192.0.2.2")
    guests.entries["b"].leave()
    assert guests.comes("d", "192.0.2.2")
    assert guests.comes("e", "192.0.2.3")
    assert guests.ended == ["d"]


def test_only_so_many_may_be_strangers():
    guests = Guests(AddressBook(0, strangers=2))
    for name in "abc":
        guests.comes(name, "192.0.2.1")
    assert guests.ended == ["a"]
