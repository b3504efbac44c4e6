"""What a query says, which messages are kept, and ids that nobody can make up: without a server."""

import sys
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hausbote.base.clock import moment, timestamp
from hausbote.features.archive import ids
from hausbote.features.archive.query import read
from hausbote.features.archive.rules import is_for_now_only, is_worth_keeping
from hausbote.storage import Range
from hausbote.xmpp import ns
from hausbote.xmpp.errors import BadRequest, FeatureNotImplemented, ItemNotFound, JidMalformed
from hausbote.xmpp.stanza import Child, Stanza, child, tree
from support.archive import form, rsm

SECOND = 1_000_000
AHEAD = 10**15  # an id of a time when the clock was ahead


def asked(*inner):
    """What is read of a query; ids are written as decimal numbers."""
    xml = f"<query xmlns='{ns.MAM}'>{''.join(inner)}</query>"
    return read(tree(Child(ns.MAM, "query", xml)), Numbered())


class Numbered:
    """An account's archive, as far as queries are read."""

    tick = 1_000
    groupchat_field = True

    def unseal(self, text):
        return int(text) if text.isdigit() else None

    def is_ahead(self, id):
        return id >= AHEAD

    def peer(self, jid):
        return jid.bare, jid.full if jid.resource else ""


class TestQueries:
    def test_of_nothing_it_is_everything(self):
        assert asked() == (Range(), "", (), None, False, False, False)

    def test_who_has_read_up_to_a_time_to_come_begins_again(self):
        with pytest.raises(ItemNotFound):
            asked(rsm(after=AHEAD))

    def test_the_narrowest_bounds_count(self):
        wide = form(after_id="10", before_id="90")
        assert asked(wide, rsm(after="20")).where == Range(20, 90)
        assert asked(wide, rsm(before="50")).where == Range(10, 50)
        assert asked(wide, rsm(after="5")).where == Range(10, 90)
        assert asked(wide, rsm(after="5")).known == (10, 90, 5)

    def test_times_are_whole_milliseconds_and_included(self):
        found = asked(form(start="1970-01-01T00:00:01Z", end="1970-01-01T00:00:02.5Z")).where
        assert (found.after, found.before) == (SECOND - 1, 2_501_000)
        finer = asked(form(start="1970-01-01T00:00:00.0000001Z")).where
        assert finer.after == -1 or finer.after == 0
        assert asked(form(start="1970-01-01T00:00:00.0001Z")).where.after == 999
        assert asked(form(start="1969-01-01T00:00:00Z")).where.after == 0

    def test_backwards_and_on_from_another_page_are_told_apart(self):
        last, earlier, later = (
            asked(rsm(before=None)),
            asked(rsm(before="7")),
            asked(rsm(after="7")),
        )
        assert (last.backwards, last.paged) == (True, False)
        assert (earlier.backwards, earlier.paged) == (True, True)
        assert (later.backwards, later.paged) == (False, True)
        assert asked(form(before_id="7")).backwards is False
        assert asked(rsm(after=None)).where == Range()

    def test_with_a_bare_or_a_full_address(self):
        assert asked(form(with_="Juliet@H")).where.peer == "juliet@h"
        full = asked(form(with_="juliet@h/Balcony"))
        assert (full.where.peer, full.resource) == ("juliet@h", "juliet@h/Balcony")

    def test_ids_are_each_meant_once(self):
        assert asked(form(ids=["3", "1", "3"])).where.ids == (3, 1)
        assert asked(form(ids=[])).where.ids == ()

    @pytest.mark.parametrize(
        ("error", "inner"),
        [
            (BadRequest, form(start="2010-07-07")),
            (BadRequest, form().replace("submit", "form")),
            (BadRequest, rsm(max="ten")),
            (BadRequest, rsm(before="1", after="2")),
            (FeatureNotImplemented, form(colour="red")),
            (FeatureNotImplemented, rsm(index="4")),
            (ItemNotFound, rsm(after="x")),
            (ItemNotFound, form(ids=["1", "x"])),
            (JidMalformed, form(with_="@h")),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, error, inner):
        with pytest.raises(error):
            asked(inner)


class TestTimes:
    @given(st.integers(0, 4_000_000_000_000))
    def test_a_time_that_is_told_is_understood(self, milliseconds):
        assert moment(timestamp(milliseconds / 1000)) == milliseconds * 1000

    @given(st.integers(-10_000_000_000_000_000, 200_000_000_000_000_000))
    def test_a_time_is_told_as_python_tells_it(self, microseconds):
        at = microseconds / 1_000_000
        text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
        assert timestamp(at) == text.removesuffix("+00:00") + "Z"

    @pytest.mark.parametrize(
        ("text", "at"),
        [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T02:00:00.5+02:00", 500_000),
            ("1969-12-31T19:00:00-05:00", 0),
            ("1970-01-01T00:00:00.123456789Z", 123_456),
        ],
    )
    def test_times_of_the_standard(self, text, at):
        assert moment(text) == at

    @pytest.mark.parametrize(
        "text",
        ["", "1970-01-01", "1970-01-01T00:00:00", "1970-01-01 00:00:00Z", "1970-01-01T24:00:01Z",
         "1970-13-01T00:00:00Z", "1970-01-01T00:00:60Z", "1970-W01-1T00:00:00Z",
         "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00z", "１９７０-01-01T00:00:00Z",
         "1970-01-01T00:00:00+99:00"],
    )  # fmt: skip
    def test_other_writings_are_none(self, text):
        assert moment(text) is None


class TestRules:
    BODY = child(ns.CLIENT, "body", "x")
    STORE = child(ns.HINTS, "store")
    NEVER = child(ns.HINTS, "no-permanent-store")
    TYPING = child(ns.CHAT_STATES, "composing")

    def message(self, *children):
        return Stanza("message", {}, children)

    @pytest.mark.parametrize("type", ["chat", "normal"])
    def test_a_body_or_a_hint_makes_it_worth_keeping(self, type):
        assert is_worth_keeping(self.message(self.BODY), type)
        assert is_worth_keeping(self.message(self.TYPING, self.STORE), type)
        assert not is_worth_keeping(self.message(self.TYPING), type)
        assert not is_worth_keeping(self.message(), type)

    def test_a_hint_against_it_is_stronger_wherever_it_stands(self):
        for parts in ((self.BODY, self.NEVER), (self.NEVER, self.BODY), (self.STORE, self.NEVER)):
            assert not is_worth_keeping(self.message(*parts), "chat")

    def test_a_headline_is_if_its_sender_says_so(self):
        assert is_worth_keeping(self.message(self.STORE), "headline")
        assert not is_worth_keeping(self.message(self.BODY), "headline")

    @pytest.mark.parametrize("type", ["error", "groupchat"])
    def test_other_types_are_not(self, type):
        assert not is_worth_keeping(self.message(self.BODY, self.STORE), type)

    def test_a_hint_for_now_only(self):
        assert is_for_now_only(self.message(child(ns.HINTS, "no-store")))
        assert not is_for_now_only(self.message(self.NEVER))


class Box(SimpleNamespace):
    """As much of a host as ids need."""

    def __init__(self, secret):
        states = {}
        super().__init__(
            domain="h",
            store=SimpleNamespace(secret=lambda _name: secret),
            state=lambda kind: states.setdefault(kind, kind()),
        )


class TestIds:
    BOX = Box(b"k" * 32)

    @given(st.integers(0, sys.maxsize), st.text(min_size=1))
    def test_one_goes_out_and_comes_back_for_the_same_account_only(self, id, local):
        text = ids.seal(self.BOX, local, id)
        assert ids.unseal(self.BOX, local, text) == id
        assert ids.unseal(self.BOX, f"{local}x", text) is None
        assert ids.unseal(Box(b"other".ljust(32)), local, text) is None

    @given(st.lists(st.integers(0, sys.maxsize)))
    def test_many_are_sealed_like_each(self, numbers):
        each = [ids.seal(self.BOX, "romeo", id) for id in numbers]
        assert ids.seal_all(self.BOX, "romeo", numbers) == each

    @given(st.text(max_size=40))
    def test_other_texts_are_none(self, text):
        assert ids.unseal(self.BOX, "romeo", text) is None

    def test_it_is_written_in_one_way_only(self):
        text = ids.seal(self.BOX, "romeo", 2**50 + 11)
        for other in (
            text.upper(),
            f" {text[1:]}",
            text[:-1],
            f"{text}0",
            f"{text[:16]} {text[17:]}",
        ):
            assert ids.unseal(self.BOX, "romeo", other) is None

    def test_an_id_is_found_by_who_says_it(self):
        def claim(by, id="x"):
            return Child(
                ns.STANZA_ID,
                "stanza-id",
                f"<stanza-id xmlns='{ns.STANZA_ID}' by='{by}' id='{id}'/>",
            )

        origin = child(ns.STANZA_ID, "origin-id", id="o")
        message = Stanza("message", {}, (origin, claim("romeo@h"), claim("a&amp;b@h", "y")))
        assert ids.claimed(message, "romeo@h") == "x"
        assert ids.claimed(message, "a&b@h") == "y"
        assert ids.claimed(message, "nobody@h") is None
