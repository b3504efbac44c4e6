"""Bookmarks in three places, always the same (XEP-0402, XEP-0048, XEP-0049, XEP-0411)."""

from support.pep import done, event, iq, items, listens, publish, refused

NEW = "urn:xmpp:bookmarks:1"
OLD = "storage:bookmarks"
OPTIONS = {
    "persist_items": "true",
    "max_items": "max",
    "send_last_published_item": "never",
    "access_model": "whitelist",
}


def says(client, stanza, answer):
    client.sends(stanza)
    return client.receives(answer)


def bookmark(name, nick="JC", more=""):
    return f"<conference xmlns='{NEW}' name='{name}' autojoin='1'><nick>{nick}</nick>{more}</conference>"


def old(*rooms):
    return f"<storage xmlns='{OLD}'>{''.join(rooms)}</storage>"


def room(jid, name, nick="JC"):
    return f"<conference jid='{jid}' name='{name}' autojoin='true'><nick>{nick}</nick></conference>"


def private(type, content):
    return f"<iq type='{type}' id='1'><query xmlns='jabber:iq:private'>{content}</query></iq>"


def test_a_room_bookmarked_in_the_new_way_is_there_in_the_old_ones(cast):
    juliet = cast("juliet")
    says(juliet, publish(NEW, bookmark("Play"), "play@rooms.h", options=OPTIONS), done())
    kept = room("play@rooms.h", "Play")
    says(juliet, private("get", f"<storage xmlns='{OLD}'/>"), private("result", old(kept)))
    says(
        juliet,
        items(OLD),
        done(f"<items node='{OLD}'><item id='current'>{old(kept)}</item></items>"),
    )
    says(juliet, iq("set", f"<retract node='{NEW}'><item id='play@rooms.h'/></retract>"), done())
    answer = says(juliet, private("get", f"<storage xmlns='{OLD}'/>"), private("result", old()))
    assert len(answer[0][0]) == 0


def test_a_list_in_private_xml_becomes_items(cast):
    juliet = cast("juliet")
    listens(juliet, NEW)
    page = "<url name='Works' url='http://example.org/'/>"
    says(juliet, private("set", old(room("a@r", "A"), room("b@r", "B"), page)), done())
    for jid, name in (("a@r", "A"), ("b@r", "B")):
        juliet.receives(
            event(
                f"<items node='{NEW}'><item id='{jid}'><conference xmlns='{NEW}' name='{name}'/></item></items>"
            )
        )
    says(juliet, private("set", old(room("a@r", "A"), room("c@r", "C"), page)), done())
    juliet.receives(event(f"<items node='{NEW}'><item id='c@r'/></items>"))
    juliet.receives(event(f"<items node='{NEW}'><retract id='b@r'/></items>"))
    juliet.receives_nothing()
    says(
        juliet,
        private("get", f"<storage xmlns='{OLD}'/>"),
        private("result", old(room("a@r", "A"), room("c@r", "C"), page)),
    )


def test_a_room_is_bookmarked_once_however_an_old_client_writes_its_address(cast):
    juliet = cast("juliet")
    says(juliet, publish(NEW, bookmark("Play"), "play@rooms.h", options=OPTIONS), done())
    says(juliet, private("set", old(room("Play@Rooms.H", "Play"))), done())
    answer = says(juliet, items(NEW), done(f"<items node='{NEW}'/>"))
    assert [item.get("id") for item in answer[0][0]] == ["play@rooms.h"]


def test_what_is_no_list_takes_no_bookmarks_away(cast):
    juliet = cast("juliet")
    says(juliet, publish(NEW, bookmark("Play"), "play@rooms.h", options=OPTIONS), done())
    for junk in (
        "<x xmlns='urn:x'/>",
        "<storage xmlns='urn:x'/>",
        "<x xmlns='storage:bookmarks'/>",
    ):
        says(juliet, publish(OLD, junk, "current"), done())
        answer = says(juliet, items(NEW), done(f"<items node='{NEW}'/>"))
        assert [item.get("id") for item in answer[0][0]] == ["play@rooms.h"]
    says(juliet, publish(OLD, old(), "current"), done())
    answer = says(juliet, items(NEW), done(f"<items node='{NEW}'/>"))
    assert len(answer[0][0]) == 0


def test_many_bookmarks_are_taken_over_at_once(cast):
    juliet = cast("juliet")
    listens(juliet, NEW)
    rooms = [room(f"r{number}@rooms.h", f"R{number}") for number in range(300)]
    juliet.sends(private("set", old(*rooms)))
    came = juliet.came()
    assert [one.tag for one in came].count("{jabber:client}message") == 300
    answer = says(juliet, private("get", f"<storage xmlns='{OLD}'/>"), private("result", old()))
    assert len(answer[0][0]) == 300


def test_a_list_in_the_old_node_becomes_items_and_who_listens_hears(cast):
    juliet, desk = cast("juliet", "juliet/desk")
    listens(desk, OLD)
    juliet.forget()
    desk.forget()
    says(juliet, publish(OLD, old(room("a@r", "A")), "current"), done())
    desk.receives(event(f"<items node='{OLD}'/>"))
    says(
        juliet,
        items(NEW),
        done(
            f"<items node='{NEW}'><item id='a@r'><conference xmlns='{NEW}' name='A' autojoin='true'><nick>JC</nick></conference></item></items>"
        ),
    )
    says(juliet, publish(NEW, bookmark("B"), "b@r", options=OPTIONS), done())
    desk.receives(
        event(
            f"<items node='{OLD}'><item id='current'>{old(room('a@r', 'A'), room('b@r', 'B'))}</item></items>"
        )
    )


def test_old_clients_do_not_lose_what_new_ones_added(cast):
    juliet = cast("juliet")
    more = "<extensions><pinned xmlns='urn:xmpp:bookmarks-pinning:0'/></extensions>"
    says(juliet, publish(NEW, bookmark("A", more=more), "a@r", options=OPTIONS), done())
    says(juliet, private("set", old(room("a@r", "Another name"))), done())
    answer = says(juliet, items(NEW), done("<items><item id='a@r'/></items>"))
    kept = answer[0][0][0][0]
    assert kept.get("name") == "Another name"
    assert kept.find(f"{{{NEW}}}extensions")[0].tag == "{urn:xmpp:bookmarks-pinning:0}pinned"


def test_what_clients_keep_beside_old_bookmarks_and_in_them_stays(cast):
    juliet = cast("juliet")
    inside = "<x xmlns='urn:client'>in a room</x>"
    kept = room("a@rooms.h", "A").replace("</conference>", f"{inside}</conference>")
    beside = "<note xmlns='urn:client'>in the list</note>"
    says(juliet, private("set", old(kept, beside)), done())
    juliet.forget()
    again = private("get", f"<storage xmlns='{OLD}'/>")
    says(juliet, again, private("result", old(kept, beside)))
    says(juliet, publish(NEW, bookmark("B"), "b@rooms.h"), done())
    juliet.forget()
    says(juliet, again, private("result", old(kept, room("b@rooms.h", "B"), beside)))
    juliet.sends(items(OLD))
    texts = [one.text for one in juliet.answer("1").iter("{urn:client}x", "{urn:client}note")]
    assert sorted(texts) == ["in a room", "in the list"]


def test_the_nodes_are_private_even_if_nobody_says_so(cast):
    juliet, romeo = cast("juliet", "romeo")
    cast.befriend(juliet, romeo)
    says(juliet, publish(OLD, old(room("a@r", "A")), "current"), done())
    for node in (OLD, NEW):
        says(romeo, items(node, to=juliet.bare), refused("not-allowed", "closed-node"))


def test_bookmarks_do_not_come_to_where_others_see_them(cast):
    juliet, romeo = cast("juliet", "romeo")
    cast.befriend(juliet, romeo)
    says(juliet, publish(OLD, old(), "current", options={"access_model": "presence"}), done())
    says(juliet, publish(NEW, bookmark("A"), "a@r", options=OPTIONS), done())
    answer = says(romeo, items(OLD, to=juliet.bare), done(f"<items node='{OLD}'/>"))
    assert len(answer[0][0][0][0]) == 0
