"""What is told by what smartctl has written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hausbote.health.smart import understood
from support.smart import SSD, ata, message, nvme


def told(text):
    return [one.told for one in understood("sda", text).troubles]


def level(text):
    (one,) = understood("sda", text).troubles
    return one.level


def test_a_disk_that_is_well_is_no_trouble():
    assert told(ata()) == []
    assert understood("sda", ata()).told == "no trouble is to be seen (SMART)"
    assert told(ata(SSD, rotation=0)) == []
    assert "2 % of its life are used" in understood("sda", ata(SSD, rotation=0)).told
    assert told(nvme()) == []
    assert "3 % of its life are used" in understood("nvme0n1", nvme()).told


def test_a_disk_that_says_that_it_fails():
    (sentence,) = told(ata(passed=False))
    assert sentence.startswith("The disk sda (ST2000DM008-2FR102) says that it is failing (SMART)")
    assert "make a backup now" in sentence
    assert len(told(ata(value_5=36))) == 1  # as does a number of its that has reached its end
    assert told(ata(value_4=20)) == []  # which counts how often it was started, and is of age
    for warning in (0x04, 0x08, 0x10):
        assert "is failing" in told(nvme(warning))[0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (ata(_197=8), "has 8 sectors that it cannot read"),
        (ata(_198=1), "has 1 sector that it cannot read"),
        (ata(_187=3), "could not read what it had written, 3 times by now"),
        (ata(_5=24), "has replaced 24 sectors that went bad"),
        (ata(SSD, rotation=0, value_177=7), "has used 93 % of its life"),
        (nvme(percentage_used=101), "has used 101 % of its life"),
        (nvme(0x01, available_spare=4), "has only 4 % of its spare blocks left"),
        (nvme(media_errors=7), "7 times by now"),
        (nvme(0x02), "is too hot"),
    ],
)
def test_what_comes_before_it_fails(text, sentence):
    (found,) = told(text)
    assert sentence in found


def test_it_is_worse_when_there_is_twice_as_much():
    levels = [level(ata(_197=sectors)) for sectors in (1, 2, 3, 4, 8, 15)]
    assert levels == [1, 2, 2, 3, 4, 4]
    assert level(nvme(percentage_used=99)) < level(nvme(percentage_used=100))


def test_upper_bits_that_a_maker_uses_otherwise_are_no_sectors():
    assert told(ata(_5=7 << 40)) == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (message("Smartctl open device: /dev/sda failed: Permission denied"), "Permission denied"),
        (message("/dev/sda: Unknown USB bridge [0x152d:0x0578 (0x209)]", 1), "Unknown USB bridge"),
        (message("Device is in STANDBY mode, exit(2)", severity="information"), "STANDBY"),
        ("", "no answer"),
        ("smartctl: command not found", "no answer"),
        ("{}", "no SMART"),
        ("[]", "no SMART"),
        ('{"smart_status": {}, "smartctl": {"messages": [3, {}]}}', "no SMART"),
    ],
)
def test_a_disk_that_tells_nothing_is_no_trouble_and_it_is_said_why(text, why):
    answer = understood("sda", text)
    assert (answer.told, answer.troubles) == ("", ())
    assert why in answer.why


def test_who_may_not_ask_is_told_how():
    answer = understood("sda", message("Smartctl open device: /dev/sda failed: Permission denied"))
    assert "health.smartctl" in answer.change


_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(data=st.data(), good=st.sampled_from([ata(_197=3), ata(SSD, rotation=0), nvme(4)]))
def test_whatever_another_program_writes_is_an_answer(data, good):
    """One place of a good answer is something else."""
    raw = json.loads(good)
    inner = raw
    while True:
        keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        if not keys:
            break
        key = data.draw(st.sampled_from(keys))
        if not isinstance(inner[key], dict | list) or data.draw(st.booleans()):
            inner[key] = data.draw(_anything)
            break
        inner = inner[key]
    answer = understood("sda", json.dumps(raw))
    assert bool(answer.told) != bool(answer.why)
