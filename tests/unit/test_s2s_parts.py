"""What is under way to another server: counted, named, and shown."""

import pytest

from hausbote.s2s.acks import Sent, TooManyAcknowledged
from hausbote.s2s.parcel import Parcel, is_kept, without_hop
from hausbote.s2s.problem import Kind, Problem, harmless, sentence, word
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Stanza, child, stanza


def message(text="hello", **attributes):
    return stanza("message", child(ns.CLIENT, "body", text), to="a@b", **attributes)


def sent(count):
    all_of_it = Sent()
    for number in range(count):
        all_of_it.add(Parcel(message(), str(number), 0.0))
    return all_of_it


def ids(parcels):
    return [parcel.id for parcel in parcels]


class TestSent:
    def test_what_is_acknowledged_is_taken_out_in_order(self):
        under_way = sent(5)
        assert ids(under_way.acknowledge(2)) == ["0", "1"]
        assert ids(under_way.acknowledge(2)) == []
        assert ids(under_way.acknowledge(5)) == ["2", "3", "4"]
        assert len(under_way) == under_way.size == 0

    def test_an_old_number_is_no_lie(self):
        under_way = sent(5)
        under_way.acknowledge(4)
        assert under_way.acknowledge(3) == []

    def test_more_than_was_sent_is_one(self):
        with pytest.raises(TooManyAcknowledged):
            sent(2).acknowledge(3)

    def test_counters_begin_again_after_2_to_the_32(self):
        under_way = sent(3)
        under_way._acknowledged = 2**32 - 1
        assert ids(under_way.acknowledge(1)) == ["0", "1"]


class TestParcel:
    def test_a_hop_names_it_and_is_taken_out_again(self):
        parcel = Parcel(message(), "frame-1", 0.0)
        assert b"hop" not in parcel.wire(0.0, with_hop=False)
        assert b"<hop xmlns='https://hausbote.example/hop' id='frame-1'/>" in parcel.wire(
            0.0, with_hop=True
        )
        arrived = Stanza("message", {}, (*message().children, child(ns.HOP, "hop", id="frame-1")))
        plain, hop = without_hop(arrived)
        assert hop == "frame-1"
        assert [part.name for part in plain.children] == ["body"]

    def test_hops_that_are_too_long_do_not_count(self):
        arrived = Stanza("message", {}, (child(ns.HOP, "hop", id="x" * 201),))
        assert without_hop(arrived)[1] == ""

    def test_a_hop_that_a_client_wrote_is_not_sent_on(self):
        forged = Stanza("message", {}, (*message().children, child(ns.HOP, "hop", id="forged")))
        parcel = Parcel(forged, "frame-1", 0.0)
        assert b"forged" not in parcel.wire(0.0, with_hop=False)
        assert b"forged" not in parcel.wire(0.0, with_hop=True)
        assert b"forged" not in parcel.stanza.pack()

    def test_whoever_waits_is_told_once_it_is_safe(self):
        told, parcel = [], Parcel(message(), "1", 0.0)
        parcel.then(lambda: told.append(1))
        assert told == []
        parcel.safe()
        parcel.then(lambda: told.append(2))
        assert told == [1, 2]

    @pytest.mark.parametrize(
        ("one", "kept"),
        [
            (message(), True),
            (message(type="chat"), True),
            (message(type="error"), False),
            (stanza("message", child(ns.MAM, "result", id="1"), to="a@b"), False),
            (stanza("presence"), False),
            (stanza("presence", type="probe"), False),
            (stanza("presence", type="subscribe"), False),
            (stanza("presence", type="subscribed"), True),
            (stanza("presence", type="unsubscribe"), True),
            (stanza("presence", type="unsubscribed"), True),
            (stanza("iq", type="set"), False),
        ],
    )
    def test_what_waits_for_a_server_that_is_away(self, one, kept):
        assert is_kept(one) is kept


class TestProblems:
    @pytest.mark.parametrize(
        ("kind", "condition"),
        [
            (Kind.DENIED, "not-allowed"),
            (Kind.NOWHERE, "remote-server-not-found"),
            (Kind.REFUSED, "remote-server-timeout"),
            (Kind.AWAY, "remote-server-timeout"),
        ],
    )
    def test_what_a_sender_is_told(self, kind, condition):
        assert Problem(kind, "cause", "Why.").answer().condition == condition

    def test_words_of_a_peer_cannot_carry_an_address_or_move_a_cursor(self):
        assert harmless("a@b\x1b[2J\n<x>") == "a?b?[2J??x?"
        assert "@" not in sentence("romeo@montague.example said no")
        assert len(harmless("x" * 1_000)) == 120

    def test_domains_are_logged_as_dns_writes_them(self):
        assert word("montague.example") == "montague.example"
        assert word("bücher.example") == "xn--bcher-kva.example"
