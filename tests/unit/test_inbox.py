"""Frames that came in more than once."""

from hausbote.core.bus.inbox import Inbox


def test_everybody_who_sent_a_frame_is_told_that_it_is_done():
    inbox, told = Inbox(), []
    assert inbox.enter("f", lambda _: told.append("first"))
    assert not inbox.enter("f", lambda _: told.append("second"))
    assert told == []
    inbox.leave("f")
    assert told == ["first", "second"]
    assert not inbox.enter("f", lambda _: told.append("third"))
    assert told == ["first", "second", "third"]
    assert not inbox.busy
