"""Everything that the portal says, it says in German, too."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_VALUE = re.compile(r"%\((\w+)\)s")


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location(
        "translations", ROOT / "tools" / "translations.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def german(tool):
    return tool.updated("de")


def said(message):
    return message.id if isinstance(message.id, tuple) else (message.id,)


def translated(message):
    return message.string if isinstance(message.string, tuple) else (message.string,)


def test_no_sentence_is_missing(german):
    missing = [m.id for m in german if m.id and not all(translated(m))]
    assert missing == []


def test_values_are_the_same_in_both(german):
    for message in german:
        if message.id:
            wanted = set(_VALUE.findall(said(message)[-1]))
            for one in translated(message):
                assert set(_VALUE.findall(one)) <= wanted, message.id
            assert set(_VALUE.findall(translated(message)[-1])) == wanted, message.id


def test_what_is_kept_is_what_is_said(tool, german):
    """`.venv/bin/python tools/translations.py` was run after the last change."""
    assert tool.path_of("de").read_bytes() == tool.written(german)
    assert tool.path_of("de", "mo").read_bytes() == tool.compiled(german)


def test_people_are_addressed_as_friends(german):
    for message in german:
        for one in translated(message) if message.id else ():
            assert not re.search(
                r"\b(Sie|Ihnen|Ihr|Ihre[mnrs]?)\b(?<!^Sie)(?<!^Ihre)(?<!^Ihr)",
                re.sub(r"(^|[.:!?] )(Sie|Ihre?|Ihr)\b", "", one),
            ), one
