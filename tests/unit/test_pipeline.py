"""The order in which handlers run, as text: a change of it must be seen in a review."""

from pathlib import Path

import pytest

from hausbote.c2s.service import FEATURES
from hausbote.core.feature import Feature, Target
from hausbote.core.registry import Registry
from hausbote.rooms.service import FEATURES as ROOMS_FEATURES

HERE = Path(__file__).parent


@pytest.mark.parametrize(("name", "features"), [("c2s", FEATURES), ("rooms", ROOMS_FEATURES)])
def test_the_pipeline_is_the_one_that_was_agreed_on(name, features):
    expected = (HERE / f"pipeline_{name}.txt").read_text()
    assert Registry(features).explain() == expected


def test_two_handlers_for_one_key_are_refused_at_start():
    one, other = Feature("one"), Feature("other")
    for feature in (one, other):
        feature.iq("get", "urn:x", "q", Target.HOST)(lambda _: None)
    with pytest.raises(ValueError, match="two handlers"):
        Registry([one, other])
