"""Whether what was kept can be sent: one by one, and many at once."""

from itertools import product

import pytest

from hausbote.xmpp.soundness import are_sound, is_sound

GOOD = b"<message to='a'><body>one &amp; two</body></message>"
DAMAGED = [
    b"",
    b"only text",
    GOOD[:-1],
    GOOD[1:],
    GOOD + b"</message>",
    GOOD.removesuffix(b"</message>"),
    GOOD.replace(b"&amp;", b"&bmp;"),
    GOOD.replace(b"one", b"\x01ne"),
    GOOD.replace(b"two", b"\xfftwo"),
    GOOD.replace(b"body>", b"p:body>"),
    b"</one><one>" + GOOD.removesuffix(b"</message>"),
]


@pytest.mark.parametrize("row", DAMAGED)
def test_a_damaged_one_is_found(row):
    assert not is_sound(row)
    assert not are_sound([GOOD, row, GOOD])


def test_good_ones_are_good_together():
    assert is_sound(GOOD)
    assert are_sound([])
    assert are_sound([GOOD] * 3)


def test_what_one_lacks_is_not_made_good_by_another():
    for first, second in product(DAMAGED, repeat=2):
        assert not are_sound([first, second])
