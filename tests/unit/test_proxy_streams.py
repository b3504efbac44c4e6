"""Who waits at the file proxy."""

import pytest

from hausbote.upload.streams import NoStream, Party, Streams


def test_who_waits_for_nothing_keeps_nobody_from_waiting():
    here = Streams(waiting=4)
    one, other = Party(None, "192.0.2.1"), Party(None, "192.0.2.2")
    assert here.join("file", one)
    flood = [Party(None, f"2001:db8:1:{number}::1") for number in range(9)]
    assert all(here.join(f"x{number}", party) for number, party in enumerate(flood))
    assert here.join("file", other)
    assert here.activate("file", "romeo@h", 1).other is other
    assert [party.called.is_set() for party in flood] == [True] * 7 + [False] * 2
    with pytest.raises(NoStream):
        here.activate("x0", "romeo@h", 5)
    for number, party in enumerate(flood):
        here.leave(f"x{number}", party)
    assert here.join("again", one)
