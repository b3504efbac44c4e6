"""The message archive: XEP-0313 with 0059, 0334, 0359 and 0424."""

import pytest

from hausbote.features.archive import pages
from hausbote.features.archive.retention import forget_old_messages
from support.archive import CLIENT, MAM, form, page, query, refused, rsm, stanza_ids
from support.compliance import DISCO

SID = "urn:xmpp:sid:0"
HINTS = "urn:xmpp:hints"
RETRACT = "urn:xmpp:message-retract:1"
CHAT_STATES = "http://jabber.org/protocol/chatstates"


def chat(body="Hark!", to="juliet@h", type="chat", inner="", **attributes):
    given = "".join(f" {name}='{value}'" for name, value in attributes.items())
    text = f"<body>{body}</body>" if body else ""
    return f"<message to='{to}' type='{type}'{given}>{text}{inner}</message>"


def tell(one, *messages):
    """Send, and wait until all of it has been handled."""
    one.sends(*messages)
    one.settle()


@pytest.fixture
def romeo(cast):
    return cast("romeo/orchard")


@pytest.fixture
def juliet(cast):
    return cast("juliet/balcony")


@pytest.fixture
def talk(romeo, juliet):
    """Ten messages from romeo to juliet; he is asked for his archive."""
    tell(romeo, *[chat(f"{n}") for n in range(10)])
    juliet.receives(*[f"<message><body>{n}</body></message>" for n in range(10)])
    return romeo


class TestWhatIsKept:
    def test_both_sides_have_it_as_it_was_sent(self, romeo, juliet):
        tell(
            romeo, chat("Ärger &amp; <![CDATA[<Zorn>]]>", inner="<thread>t</thread>", id="m&apos;1")
        )
        for client in (romeo, juliet):
            client.forget()
            found = page(client)
            assert found.bodies == ["Ärger & <Zorn>"]
            (message,) = found.messages
            assert dict(message.attrib) == {
                "from": "romeo@h/orchard", "to": "juliet@h", "type": "chat", "id": "m'1"
            }  # fmt: skip
            assert message.findtext(f"{{{CLIENT}}}thread") == "t"
            (result,) = found.results
            assert result.get("from") == client.bare
            assert result.get("to") == client.jid
            assert stanza_ids(message) == [(client.bare, found.ids[0])]
            assert found.complete

    def test_somebody_who_is_away_has_it_too(self, cast, romeo):
        cast.account("juliet")
        tell(romeo, chat())
        assert page(cast.log_in("juliet")).bodies == ["Hark!"]

    def test_a_message_to_oneself_is_there_once(self, cast, romeo):
        desk = cast("romeo/desk")
        romeo.forget()
        tell(romeo, chat(to="romeo@h/desk"), chat("other", to="nurse@h"))
        desk.receives("<message><stanza-id xmlns='urn:xmpp:sid:0' by='romeo@h'/></message>")
        assert page(desk, form(with_="romeo@h")).bodies == ["Hark!"]

    def test_what_goes_to_the_server_itself_comes_back_and_is_not_kept(self, romeo):
        romeo.sends(chat(to="h"))
        romeo.receives("<message type='error' from='h'/>")
        assert page(romeo).bodies == []

    def test_copies_to_many_clients_are_one_message(self, cast, romeo, juliet):
        cast("juliet/desk")
        juliet.forget()
        tell(romeo, chat())
        juliet.receives("<message/>")
        assert page(juliet).bodies == ["Hark!"]

    @pytest.mark.parametrize("type", ["headline", "groupchat", "error"])
    def test_some_types_are_not_kept(self, romeo, juliet, type):
        tell(romeo, chat(to="juliet@h/balcony", type=type))
        juliet.receives("<message/>")
        for client in (romeo, juliet):
            assert page(client).bodies == []

    @pytest.mark.parametrize("hint", ["no-store", "no-permanent-store"])
    def test_a_sender_may_ask_not_to_keep_it(self, romeo, juliet, hint):
        both = f"<{hint} xmlns='{HINTS}'/><store xmlns='{HINTS}'/>"
        tell(romeo, chat(inner=f"<{hint} xmlns='{HINTS}'/>"), chat(inner=both))
        message = juliet.receives("<message/>", "<message/>")
        assert stanza_ids(message) == []
        for client in (romeo, juliet):
            assert page(client).bodies == []

    @pytest.mark.parametrize(
        "inner",
        [
            f"<active xmlns='{CHAT_STATES}'/><store xmlns='{HINTS}'/>",
            "<received xmlns='urn:xmpp:receipts' id='x'/>",
            "<displayed xmlns='urn:xmpp:chat-markers:0' id='x'/>",
            "<reactions xmlns='urn:xmpp:reactions:0' id='x'><reaction>x</reaction></reactions>",
            "<encrypted xmlns='eu.siacs.conversations.axolotl'><payload>x</payload></encrypted>",
            "<encrypted xmlns='urn:xmpp:omemo:2'><payload>x</payload></encrypted>",
        ],
    )
    def test_what_means_something_is_kept_without_a_body(self, romeo, juliet, inner):
        tell(romeo, chat("", inner=inner))
        juliet.receives("<message/>")
        for client in (romeo, juliet):
            assert len(page(client).results) == 1

    def test_typing_is_not_kept(self, romeo, juliet):
        tell(romeo, chat("", inner=f"<composing xmlns='{CHAT_STATES}'/><thread>t</thread>"))
        juliet.receives("<message/>")
        for client in (romeo, juliet):
            assert page(client).results == []

    def test_what_came_back_at_once_is_not_kept(self, cast, romeo):
        cast.account("juliet")
        romeo.sends(chat(to="nobody@h"), chat(to="juliet@h/gone", type="normal"))
        romeo.receives("<message type='error'/>", "<message type='error'/>")
        assert page(romeo).bodies == []
        assert page(cast.log_in("juliet")).bodies == []

    def test_what_was_blocked_is_kept_by_nobody(self, romeo, juliet):
        juliet.sends(
            "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'>"
            "<item jid='romeo@h'/></block></iq>"
        )
        juliet.receives("<iq id='b' type='result'/>")
        juliet.forget()
        romeo.forget()
        romeo.sends(chat())
        romeo.receives("<message type='error'/>")
        for client in (romeo, juliet):
            assert page(client).bodies == []

    def test_what_goes_to_a_component_is_in_its_senders_archive(self, romeo, bridge):
        tell(romeo, chat(to="lark@bridge.h"))
        bridge.receives("<message><body>Hark!</body></message>")
        bridge.sends(
            "<message from='lark@bridge.h/x' to='romeo@h' type='chat'><body>!</body></message>"
        )
        romeo.receives(f"<message><stanza-id xmlns='{SID}' by='romeo@h'/></message>")
        assert page(romeo, form(with_="lark@bridge.h")).bodies == ["Hark!", "!"]

    def test_it_is_announced_where_it_is(self, romeo):
        romeo.sends(f"<iq type='get' id='d' to='romeo@h'><query xmlns='{DISCO}'/></iq>")
        info = romeo.next()
        features = {one.get("var") for one in info.iter(f"{{{DISCO}}}feature")}
        assert features >= {
            MAM, f"{MAM}#extended", f"{MAM}#groupchat-field", SID, f"{RETRACT}#tombstone"
        }  # fmt: skip
        assert f"{MAM}#groupchat-available" not in features

    def test_copies_to_its_sender_say_where_it_is_kept(self, cast, romeo, juliet):
        phone = cast("romeo/phone")
        phone.sends("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
        phone.receives("<iq type='result' id='c'/>")
        romeo.forget()
        tell(romeo, chat())
        copy = phone.receives("<message><sent xmlns='urn:xmpp:carbons:2'/></message>")
        written = copy.find(f".//{{{CLIENT}}}message/{{{SID}}}stanza-id")
        assert (written.get("by"), written.get("id")) == ("romeo@h", page(romeo).ids[0])

    def test_each_side_has_it_once(self, romeo, juliet):
        tell(romeo, chat("x"))
        juliet.forget()
        assert [page(client).bodies for client in (romeo, juliet)] == [["x"], ["x"]]


class TestIds:
    def test_the_recipient_learns_the_id_and_others_do_not(self, romeo, juliet):
        tell(romeo, chat())
        message = juliet.receives("<message/>")
        (result,) = page(juliet).ids
        assert stanza_ids(message) == [("juliet@h", result)]
        (his,) = page(romeo).ids
        assert his != result

    def test_ids_tell_nothing_of_time_or_number(self, talk):
        ids = page(talk).ids
        assert len(set(ids)) == 10
        assert len({id[:3] for id in ids}) > 3
        assert ids != sorted(ids)

    def test_forged_ids_are_taken_off_and_others_stay(self, romeo, juliet):
        forged = "".join(
            f"<stanza-id xmlns='{SID}' by='{by}' id='x'/>"
            for by in ("juliet@h", "romeo@h", "room@rooms.h", "juliet@h")
        )
        origin = f"<origin-id xmlns='{SID}' id='o'/>"
        tell(romeo, chat(inner=forged + origin))
        message = juliet.receives(f"<message>{origin}</message>")
        (result,) = page(juliet).ids
        assert stanza_ids(message) == [("room@rooms.h", "x"), ("juliet@h", result)]
        (kept,) = page(romeo).messages
        assert [by for by, _ in stanza_ids(kept)] == ["room@rooms.h", "romeo@h"]

    @pytest.mark.parametrize("spelling", ["JULIET@h", "juliet@H", "&#x4A;uliet@h"])
    def test_an_id_is_forged_however_its_address_is_written(self, romeo, juliet, spelling):
        forged = f"<stanza-id xmlns='{SID}' by='{spelling}' id='x'/>"
        tell(romeo, chat(inner=forged))
        shown = stanza_ids(juliet.receives("<message/>"))
        assert shown == [("juliet@h", page(juliet).ids[0])]

    def test_forged_ids_are_taken_off_what_is_not_kept(self, romeo, juliet):
        forged = f"<stanza-id xmlns='{SID}' by='juliet@h' id='x'/>"
        tell(romeo, chat(type="headline", inner=forged))
        assert stanza_ids(juliet.receives("<message/>")) == []

    def test_a_component_cannot_repeat_an_id_of_something_else(self, romeo, bridge):
        tell(romeo, chat("mine", to="romeo@h"))
        (known,) = stanza_ids(romeo.receives("<message/>"))
        bridge.sends(
            "<message from='lark@bridge.h' to='romeo@h' type='chat'><body>forged</body>"
            f"<stanza-id xmlns='{SID}' by='romeo@h' id='{known[1]}'/></message>"
        )
        ((by, id),) = stanza_ids(romeo.receives("<message><body>forged</body></message>"))
        assert (by, id != known[1]) == ("romeo@h", True)
        assert page(romeo).bodies == ["mine", "forged"]

    def test_nobody_but_an_archive_sends_results(self, romeo, juliet):
        forged = (
            f"<result xmlns='{MAM}' id='x'><forwarded xmlns='urn:xmpp:forward:0'>"
            "<message xmlns='jabber:client' from='nurse@h'><body>lies</body></message>"
            "</forwarded></result>"
        )
        romeo.sends(chat(to="juliet@h/balcony", inner=forged))
        romeo.receives("<message type='error'><error type='auth'/></message>")
        juliet.receives_nothing()
        assert page(juliet).bodies == []


class TestPages:
    def test_without_a_set_there_is_a_page_from_the_beginning(self, talk):
        found = page(talk, queryid="f&apos;27")
        assert found.bodies == [f"{n}" for n in range(10)]
        assert {one.find(f"{{{MAM}}}result").get("queryid") for one in found.results} == {"f'27"}
        assert (found.told("first"), found.told("last")) == (found.ids[0], found.ids[-1])
        assert found.told("count") == "10"
        assert found.complete

    def test_a_queryid_has_a_length_too(self, talk):
        refused(talk, "bad-request", queryid="x" * 1024)
        assert len(page(talk, queryid="x" * 1023).results) == 10

    def test_forwards(self, talk):
        first = page(talk, rsm(max=4))
        assert (first.bodies, first.complete) == (["0", "1", "2", "3"], False)
        second = page(talk, rsm(max=4, after=first.told("last")))
        assert (second.bodies, second.complete) == (["4", "5", "6", "7"], False)
        third = page(talk, rsm(max=4, after=second.told("last")))
        assert (third.bodies, third.complete) == (["8", "9"], True)
        nothing = page(talk, rsm(max=4, after=third.told("last")))
        assert (nothing.bodies, nothing.complete) == ([], True)
        assert nothing.told("first") is None

    def test_a_page_that_ends_with_the_archive_is_complete(self, talk):
        assert page(talk, rsm(max=10)).complete
        assert page(talk, rsm(max=10, before=None)).complete
        assert not page(talk, rsm(max=9)).complete

    def test_backwards(self, talk):
        last = page(talk, rsm(max=4, before=None))
        assert (last.bodies, last.complete) == (["6", "7", "8", "9"], False)
        earlier = page(talk, rsm(max=4, before=last.told("first")))
        assert (earlier.bodies, earlier.complete) == (["2", "3", "4", "5"], False)
        first = page(talk, rsm(max=4, before=earlier.told("first")))
        assert (first.bodies, first.complete) == (["0", "1"], True)

    def test_a_flipped_page_is_the_same_page_backwards(self, talk):
        flip = "<flip-page/>"
        found = page(talk, rsm(max=3, before=None), flip)
        assert found.bodies == ["9", "8", "7"]
        assert (found.told("first"), found.told("last")) == (found.ids[-1], found.ids[0])
        assert page(talk, rsm(max=3), flip).bodies == ["2", "1", "0"]

    def test_a_page_of_nothing_counts(self, talk):
        found = page(talk, rsm(max=0))
        assert (found.bodies, found.told("count"), found.complete) == ([], "10", False)
        assert page(talk, rsm(max=0), form(with_="nurse@h")).told("count") == "0"
        assert page(talk, rsm(max=0), form(with_="juliet@h/x")).told("count") == "0"

    def test_ids_that_are_not_there(self, talk):
        known = page(talk, rsm(max=1)).ids[0]
        for unknown in ("28482-98726-73623", "0" * 32, "ä" * 32, known.upper(), known + "0"):
            refused(talk, "item-not-found", rsm(after=unknown))
            refused(talk, "item-not-found", rsm(before=unknown))
            refused(talk, "item-not-found", form(before_id=unknown))
            refused(talk, "item-not-found", form(after_id=unknown))
            refused(talk, "item-not-found", form(ids=[known, unknown]))
        talk.receives_nothing()

    def test_an_id_of_somebody_elses_archive_is_unknown(self, juliet, talk):
        hers = page(juliet, rsm(max=1)).ids[0]
        refused(talk, "item-not-found", rsm(after=hers))
        refused(talk, "item-not-found", form(ids=[hers]))

    @pytest.mark.parametrize("max", ["-1", "x", "", "1.5", "²", "9" * 30])
    def test_a_page_of_nonsense(self, talk, max):
        refused(talk, "bad-request", rsm(max=max))
        talk.receives_nothing()

    def test_other_ways_to_page(self, talk):
        known = page(talk, rsm(max=1)).ids[0]
        refused(talk, "feature-not-implemented", rsm(max=1, index=3))
        refused(talk, "bad-request", rsm(after=known, before=known))
        refused(talk, "bad-request", rsm(max=1, index="x"))

    def test_no_page_is_longer_than_the_box_allows(self, romeo, juliet):
        tell(romeo, *[chat(f"{n}") for n in range(105)])
        juliet.forget()
        for asked in (rsm(max=1000), ""):
            found = page(romeo, asked)
            assert (len(found.results), found.complete) == (100, False)
        assert page(romeo, rsm(max=1000, before=None)).bodies[-1] == "104"

    def test_a_page_of_large_messages_ends_early(self, romeo, juliet):
        tell(romeo, *[chat(f"{n}" + "x" * 200_000) for n in range(7)])
        juliet.forget()
        found = page(romeo)
        assert 4 <= len(found.results) < 7
        assert not found.complete
        rest = page(romeo, rsm(after=found.told("last")))
        assert len(found.results) + len(rest.results) == 7
        assert rest.complete
        last = page(romeo, rsm(before=None))
        assert not last.complete
        assert last.bodies[-1].startswith("6x")


class TestFilters:
    def test_with_whom(self, cast, romeo, juliet):
        cast.account("nurse")
        tell(romeo, chat("a"), chat("b", to="nurse@h"), chat("c", to="juliet@h/balcony"))
        juliet.sends(chat("d", to="romeo@h/orchard"))
        juliet.settle()
        romeo.forget()
        assert page(romeo, form(with_="JULIET@h")).bodies == ["a", "c", "d"]
        assert page(romeo, form(with_="nurse@h")).bodies == ["b"]
        assert page(romeo, form(with_="juliet@h/balcony")).bodies == ["c", "d"]
        assert page(romeo, form(with_="juliet@h/gone")).bodies == []
        assert page(romeo, form(with_="romeo@h")).bodies == []
        found = page(romeo, form(with_="juliet@h/balcony"), rsm(max=1, before=None))
        assert (found.bodies, found.complete) == (["d"], False)
        assert page(romeo, form(with_="juliet@h/balcony"), rsm(max=0)).told("count") == "2"

    @pytest.mark.parametrize("world", ["memory"], indirect=True)  # the bounds are this process's
    def test_a_long_search_goes_on_in_parts_and_ends(self, romeo, juliet, monkeypatch):
        for name, value in (("LOOKED_AT_AT_ONCE", 3), ("COUNTED_AT_ONCE", 3), ("LOOKED_AT", 12)):
            monkeypatch.setattr(pages, f"_{name}", value)
        tell(
            romeo, *[chat(f"{n}", to=f"juliet@h/{(n % 4 and 'x') or 'balcony'}") for n in range(11)]
        )
        juliet.forget()
        wanted = form(with_="juliet@h/balcony")
        for before in ({}, {"before": None}):
            found = page(romeo, wanted, rsm(**before))
            assert (found.bodies, found.complete) == (["0", "4", "8"], True)
        assert page(romeo, wanted, rsm(max=0)).told("count") == "3"
        assert page(romeo, rsm(max=0)).told("count") == "11"
        tell(romeo, *[chat(f"{n}", to="juliet@h/x") for n in range(11, 18)])
        found = page(romeo, wanted)
        assert (found.bodies, found.complete) == (["0", "4", "8"], False)
        refused(romeo, "resource-constraint", form(with_="juliet@h/nobody"))
        assert page(romeo, wanted, rsm(max=0)).told("count") is None
        monkeypatch.setattr(pages, "COUNTED", 6)
        assert page(romeo, form(with_="juliet@h"), rsm(max=0)).told("count") is None
        assert page(romeo, rsm(max=0)).told("count") == "18"

    def test_with_a_resource_that_only_the_text_names(self, romeo, juliet):
        tell(romeo, chat("from='juliet@h/x' to='juliet@h/x'"))
        assert page(romeo, form(with_="juliet@h/x")).bodies == []

    def test_by_time(self, talk):
        everything = page(talk)
        third, eighth = everything.stamps[2], everything.stamps[7]
        assert set("2345678901") >= set(page(talk, form(start=third)).bodies) >= set("23456789")
        assert "3" in page(talk, form(start=third, end=eighth)).bodies
        for body in everything.bodies:
            stamp = everything.stamps[int(body)]
            assert body in page(talk, form(start=stamp, end=stamp)).bodies
        assert page(talk, form(end="2010-07-07T13:23:54Z")).bodies == []
        assert page(talk, form(start="2010-07-07T13:23:54+02:00")).bodies == everything.bodies
        assert page(talk, form(start="9999-12-31T23:59:59.999Z")).bodies == []
        assert page(talk, form(start="0001-01-01T00:00:00+14:00"), rsm(max=1)).bodies == ["0"]

    def test_between_known_messages(self, talk):
        ids = page(talk).ids
        between = form(after_id=ids[2], before_id=ids[6])
        assert page(talk, between).bodies == ["3", "4", "5"]
        assert page(talk, between, rsm(max=1)).bodies == ["3"]
        assert page(talk, between, rsm(max=1, before=None)).bodies == ["5"]
        assert page(talk, form(after_id=ids[2]), rsm(before=ids[6], max=2)).bodies == ["4", "5"]
        assert page(talk, form(after_id=ids[6], before_id=ids[2])).bodies == []

    def test_some_messages(self, talk):
        ids = page(talk).ids
        chosen = form(ids=[ids[7], ids[1], ids[7]])
        assert page(talk, chosen).bodies == ["1", "7"]
        assert page(talk, chosen, rsm(max=1, before=None)).bodies == ["7"]
        assert page(talk, form(ids=[ids[1]], with_="nurse@h")).bodies == []

    @pytest.mark.parametrize("wanted", ["true", "false", "1", "0"])
    def test_group_chats_may_be_asked_for_and_there_are_none(self, talk, wanted):
        assert len(page(talk, form(include_groupchat=wanted)).bodies) == 10

    def test_the_form_tells_its_fields(self, romeo):
        romeo.sends(f"<iq type='get' id='f'><query xmlns='{MAM}'/></iq>")
        answer = romeo.next()
        fields = {f.get("var"): f for f in answer.iter("{jabber:x:data}field")}
        assert set(fields) == {
            "FORM_TYPE", "with", "start", "end", "before-id", "after-id", "ids", "include-groupchat"
        }  # fmt: skip
        assert (fields["with"].get("type"), fields["start"].get("type")) == (
            "jid-single", "text-single"
        )  # fmt: skip
        validate = "{http://jabber.org/protocol/xdata-validate}"
        assert fields["ids"].find(f"{validate}validate/{validate}open") is not None

    @pytest.mark.parametrize(
        ("condition", "fields"),
        [
            ("feature-not-implemented", {"full_text": "x"}),
            ("jid-malformed", {"with_": "@"}),
            ("bad-request", {"start": "yesterday"}),
            ("bad-request", {"end": "2010-02-30T00:00:00Z"}),
            ("bad-request", {"start": "2010-02-03"}),
            ("bad-request", {"start": "20100203T000000Z"}),
            ("bad-request", {"start": "2010-02-03T00:00:00"}),
            ("bad-request", {"include_groupchat": "perhaps"}),
            ("item-not-found", {"before_id": ""}),
        ],
    )
    def test_forms_that_make_no_sense(self, talk, condition, fields):
        refused(talk, condition, form(**fields))
        talk.receives_nothing()

    def test_a_form_of_something_else(self, talk):
        refused(talk, "bad-request", form().replace(MAM, "urn:example"))
        refused(talk, "bad-request", form().replace("'submit'", "'cancel'"))
        refused(talk, "bad-request", "<x xmlns='jabber:x:data' type='submit'/>")

    def test_an_archive_of_people_has_no_nodes(self, talk):
        talk.sends(f"<iq type='set' id='q'><query xmlns='{MAM}' node='n'/></iq>")
        talk.receives("<iq type='error' id='q'/>")


class TestWhoMayRead:
    def test_nobody_reads_what_is_anothers(self, cast, talk):
        paris = cast("paris")
        refused(paris, "forbidden", to="romeo@h")
        for payload in ("query", "metadata", "prefs"):
            paris.sends(f"<iq type='get' id='q' to='romeo@h'><{payload} xmlns='{MAM}'/></iq>")
            paris.receives("<iq type='error' id='q'><error type='auth'/></iq>")
        paris.receives_nothing()

    def test_nor_does_the_service_have_an_archive(self, romeo):
        refused(romeo, "service-unavailable", to="h")

    def test_a_component_is_not_its_users_client(self, talk, bridge):
        bridge.sends(
            f"<iq from='x@bridge.h' to='romeo@h' type='set' id='q'><query xmlns='{MAM}'/></iq>"
        )
        bridge.receives("<iq type='error' id='q'/>")

    def test_ones_own_address_may_be_said(self, talk):
        assert len(page(talk, to="romeo@h").bodies) == 10

    def test_an_account_of_the_same_name_starts_empty(self, world, cast, talk, juliet):
        world.add_account("romeo")
        again = world.client().log_in("romeo", "wherefore art thou", "again")
        cast.clients.append(again)
        assert page(again).bodies == []
        assert len(page(juliet).bodies) == 10


class TestMetadata:
    def test_an_empty_archive_has_no_ends(self, romeo):
        romeo.sends(f"<iq type='get' id='m'><metadata xmlns='{MAM}'/></iq>")
        answer = romeo.receives(f"<iq type='result' id='m'><metadata xmlns='{MAM}'/></iq>")
        assert len(answer[0]) == 0

    def test_its_ends_are_told(self, talk):
        found = page(talk)
        talk.sends(f"<iq type='get' id='m'><metadata xmlns='{MAM}'/></iq>")
        talk.receives(
            f"<iq type='result' id='m'><metadata xmlns='{MAM}'>"
            f"<start id='{found.ids[0]}' timestamp='{found.stamps[0]}'/>"
            f"<end id='{found.ids[-1]}' timestamp='{found.stamps[-1]}'/></metadata></iq>"
        )


class TestRetraction:
    def retract(self, which, **attributes):
        return chat("sorry", inner=f"<retract xmlns='{RETRACT}' id='{which}'/>", **attributes)

    def stones(self, client):
        found = page(client)
        return {
            message.get("id"): message.find(f"{{{RETRACT}}}retracted") for message in found.messages
        }, found.bodies

    def test_a_retracted_message_leaves_a_tombstone_on_both_sides(self, romeo, juliet):
        tell(romeo, chat("oops", id="m1"), chat("fine", id="m2"), self.retract("m1", id="r1"))
        juliet.receives("<message/>", "<message/>", "<message><body>sorry</body></message>")
        for client in (romeo, juliet):
            stones, bodies = self.stones(client)
            assert bodies == [None, "fine", "sorry"]
            assert stones["m1"].get("id") == "r1"
            assert stones["m1"].get("stamp")
            assert stones["m2"] is None

    def test_nobody_retracts_what_others_said(self, romeo, juliet):
        tell(romeo, chat("mine", id="m1"))
        juliet.receives("<message/>")
        tell(juliet, self.retract("m1", to="romeo@h", id="r1"))
        romeo.receives("<message/>")
        for client in (romeo, juliet):
            assert self.stones(client)[1] == ["mine", "sorry"]

    def test_a_retraction_without_a_name_buries_nothing(self, romeo, juliet):
        tell(romeo, chat("mine", id="m1"), self.retract("m1"), self.retract("", id="r"))
        juliet.forget()
        assert self.stones(romeo)[1] == ["mine", "sorry", "sorry"]

    def test_one_who_retracts_all_the_time_leaves_fewer_tombstones(self, cast, juliet):
        tybalt = cast("tybalt")
        said = [chat("x", id=f"m{n}") for n in range(70)]
        tell(tybalt, *said, *[self.retract(f"m{n}", id=f"r{n}") for n in range(70)])
        juliet.forget()
        bodies = page(tybalt, rsm(max=70)).bodies
        assert bodies == [None] * 60 + ["x"] * 10
        assert page(tybalt, rsm(max=70, before=None)).bodies == ["sorry"] * 70

    def test_one_is_kept_without_a_body(self, romeo, juliet):
        inner = f"<retract xmlns='{RETRACT}' id='m1'/>"
        tell(romeo, chat("oops", id="m1"), chat("", inner=inner, id="r1"))
        juliet.forget()
        assert self.stones(juliet)[1] == [None, None]

    def test_of_a_component_each_speaker_is_somebody_else(self, romeo, bridge):
        said = "<message from='c@bridge.h/{}' to='romeo@h' type='chat' id='{}'><body>x</body>{}</message>"
        retract = f"<retract xmlns='{RETRACT}' id='m1'/>"
        bridge.sends(said.format("one", "m1", ""), said.format("two", "r1", retract))
        romeo.receives("<message/>", "<message/>")
        assert self.stones(romeo)[1] == ["x", "x"]
        bridge.sends(said.format("one", "r2", retract))
        romeo.receives("<message/>")
        assert self.stones(romeo)[1] == [None, "x", "x"]


class TestRetention:
    @pytest.mark.parametrize("world", ["memory"], indirect=True)  # a running box has its own clock
    def test_old_messages_are_forgotten(self, world, talk):
        first = page(talk).ids[0]
        forget_old_messages(world.host)
        assert len(page(talk).bodies) == 10
        now = world.host.clock()
        world.host.clock = lambda: now + 31 * 86_400
        assert forget_old_messages(world.host) == 20
        assert page(talk).bodies == []
        refused(talk, "item-not-found", rsm(after=first))

    @pytest.mark.parametrize("world", ["memory"], indirect=True)
    def test_a_clock_that_jumps_forgets_nothing(self, world, talk):
        now = world.host.clock()
        world.host.clock = lambda: now + 365 * 86_400
        world.host.certain = lambda: now + 60
        assert forget_old_messages(world.host) == 0
        assert len(page(talk).bodies) == 10

    @pytest.mark.parametrize("world", ["memory"], indirect=True)
    def test_who_has_read_up_to_a_time_that_is_to_come_begins_again(self, world, romeo, juliet):
        ids = world.store.archives.ids
        right = ids.clock
        tell(romeo, chat("before"))
        ids.clock = lambda: right() + 365 * 86_400
        tell(romeo, chat("meanwhile"))
        ids.clock = right
        tell(romeo, chat("afterwards"))
        found = page(romeo)
        assert found.bodies == ["before", "afterwards", "meanwhile"]
        refused(romeo, "item-not-found", rsm(after=found.ids[-1]))
        assert page(romeo, rsm(after=found.ids[0])).bodies == ["afterwards", "meanwhile"]


def test_a_query_waits_for_what_is_on_its_way_to_the_disk(romeo, juliet):
    romeo.sends(*[chat(f"{n}") for n in range(60)], query())
    bodies = []
    while (came := romeo.next()).tag != f"{{{CLIENT}}}iq":
        bodies.append(came.findtext(f".//{{{CLIENT}}}body"))
    assert bodies == [f"{n}" for n in range(60)]
