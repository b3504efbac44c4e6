"""The order in which handlers run, as text: a change of it must be seen in a review.

Run as a program, this file writes the text anew.
"""

from pathlib import Path

import pytest

from hausbote.c2s import service as c2s
from hausbote.core.feature import Feature, Target
from hausbote.core.registry import Registry
from hausbote.rooms import service as rooms
from hausbote.upload import service as upload

PIPELINES = {
    "c2s": c2s.FEATURES,
    "pubsub": c2s.PUBSUB_FEATURES,
    "rooms": rooms.FEATURES,
    "upload": upload.FEATURES,
    "proxy": upload.PROXY_FEATURES,
}


def page(name):
    return Path(__file__).with_name(f"pipeline_{name}.txt")


@pytest.mark.parametrize("name", PIPELINES)
def test_the_pipeline_is_the_one_that_was_agreed_on(name):
    assert Registry(PIPELINES[name]).explain() == page(name).read_text()


def test_two_handlers_for_one_key_are_refused_at_start():
    one, other = Feature("one"), Feature("other")
    for feature in (one, other):
        feature.iq("get", "urn:x", "q", Target.HOST)(lambda _: None)
    with pytest.raises(ValueError, match="two handlers"):
        Registry([one, other])


if __name__ == "__main__":
    for service, features in PIPELINES.items():
        page(service).write_text(Registry(features).explain())
