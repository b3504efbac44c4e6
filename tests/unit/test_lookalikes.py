"""Which names people take for each other."""

import subprocess
import sys

import pytest

from hausbote.base.jid import InvalidJID, prepare_local
from hausbote.base.lookalikes import skeleton

ALIKE = [
    ("admin", "аdmin"),  # Cyrillic a
    ("romeo", "rοmeo"),  # Greek omicron
    ("paypal", "раураl"),
    ("romeo", "r0meo"),
    ("juliet", "ju1iet"),
    ("romeo", "rorneo"),
    ("söder", "sӧder"),
    ("עומר", "עומר"),
]
DIFFERENT = [("romeo", "juliet"), ("anna", "ana"), ("jose", "josé"), ("uli", "ull"), ("мир", "mir")]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_names_that_look_alike_have_one_skeleton(one, other):
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_names_that_can_be_told_apart_have_two(one, other):
    assert skeleton(one) != skeleton(other)


def test_every_letter_for_which_unicode_has_a_latin_one_is_found():
    """Of those that can be in an address as they are, in any script."""
    found = set()
    for number in range(0x80, 0x11000):
        letter = chr(number)
        try:
            if prepare_local(letter) == letter and skeleton(letter).isascii():
                found.add(letter)
        except InvalidJID:
            continue
    assert set("аеорсухіјѕԛԝ") <= found  # Cyrillic
    assert set("οναρυ") <= found  # Greek
    assert len(found) > 150


def test_plain_names_need_no_tables():
    program = (
        "from hausbote.base.lookalikes import skeleton, _table\n"
        "skeleton('romeo.montague-1')\n"
        "print(_table.cache_info().currsize)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60)
    assert done.stdout == b"0\n"


def test_a_skeleton_of_ascii_is_the_same_beside_other_letters():
    plain = "".join(map(chr, range(0x21, 0x7F))).lower()
    for letter in plain:
        assert skeleton(f"{letter}ש") == f"{skeleton(letter)}ש", letter
