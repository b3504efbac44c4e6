"""Everybody's own publish-subscribe service (XEP-0163), with all that XEP-0060 says of it."""

import base64
import hashlib
import time

import pytest

from support.pep import (
    DISCO,
    ERRORS,
    EVENT,
    OWNER,
    PUBSUB,
    STANZAS,
    answer,
    arrives,
    caps,
    done,
    event,
    form,
    iq,
    items,
    listens,
    publish,
    refused,
)

TUNE = "http://jabber.org/protocol/tune"
SONG = f"<tune xmlns='{TUNE}'><title>Willow</title></tune>"
OTHER = f"<tune xmlns='{TUNE}'><title>Greensleeves</title></tune>"
HIDDEN = f"<iq type='error' id='1'><error><service-unavailable xmlns='{STANZAS}'/></error></iq>"


def says(client, stanza, answer):
    client.sends(stanza)
    return client.receives(answer)


def configure(node, **values):
    return iq(
        "set",
        f"<configure node='{node}'>{form('node_config', **values)}</configure>",
        namespace=OWNER,
    )


def value_of(form_holder, var):
    for field in form_holder.iter("{jabber:x:data}field"):
        if field.get("var") == var:
            return [value.text for value in field.findall("{jabber:x:data}value")]
    return None


def configuration(client, node):
    client.sends(iq("get", f"<configure node='{node}'/>", namespace=OWNER))
    return client.receives(
        f"<iq type='result' id='1'><pubsub xmlns='{OWNER}'><configure node='{node}'/></pubsub></iq>"
    )


# -- publishing and reading --------------------------------------------------------------------


def test_what_was_published_can_be_read(cast):
    juliet = cast("juliet")
    says(
        juliet,
        publish(TUNE, SONG, item="song"),
        done(f"<publish node='{TUNE}'><item id='song'/></publish>"),
    )
    says(juliet, items(TUNE), done(f"<items node='{TUNE}'><item id='song'>{SONG}</item></items>"))


def test_an_item_without_an_id_gets_one(cast):
    juliet = cast("juliet")
    answer = says(
        juliet, publish(TUNE, SONG), done(f"<publish node='{TUNE}'><item id='*'/></publish>")
    )
    id = answer[0][0][0].get("id")
    says(
        juliet,
        items(TUNE, f"<item id='{id}'/>"),
        done(f"<items><item id='{id}'>{SONG}</item></items>"),
    )


def test_a_new_item_takes_the_place_of_the_old_one(cast):
    juliet = cast("juliet")
    says(juliet, publish(TUNE, SONG, item="1"), done())
    says(juliet, publish(TUNE, OTHER, item="2"), done())
    answer = says(juliet, items(TUNE), done(f"<items><item id='2'>{OTHER}</item></items>"))
    assert len(answer[0][0]) == 1


def test_payloads_come_back_as_they_were(cast):
    juliet = cast("juliet")
    payload = "<a xmlns='urn:a' xml:lang='de' q='&apos;&quot;&lt;&gt;&amp;&#10;'>x &lt; y<b xmlns='urn:b' p:c='1' xmlns:p='urn:p'/>tail<d/></a>"
    says(juliet, publish("urn:a", payload, item="1"), done())
    answer = says(juliet, items("urn:a"), done("<items><item id='1'/></items>"))
    found = answer[0][0][0][0]
    assert (found.tag, found.get("q"), found.text) == ("{urn:a}a", "'\"<>&\n", "x < y")
    assert found.get("{http://www.w3.org/XML/1998/namespace}lang") == "de"
    assert (found[0].tag, found[0].get("{urn:p}c"), found[0].tail) == ("{urn:b}b", "1", "tail")
    assert found[1].tag == "{urn:a}d"


def test_many_items_are_kept_where_that_is_wanted(cast):
    juliet = cast("juliet")
    for number in range(5):
        says(
            juliet,
            publish("urn:many", "<x xmlns='urn:x'/>", str(number), options={"max_items": "max"}),
            done(),
        )
    answer = says(juliet, items("urn:many"), done())
    assert [item.get("id") for item in answer[0][0]] == list("01234")
    answer = says(juliet, items("urn:many", attributes=" max_items='2'"), done())
    assert [item.get("id") for item in answer[0][0]] == list("34")
    answer = says(juliet, items("urn:many", "<item id='3'/><item id='1'/><item id='no'/>"), done())
    assert [item.get("id") for item in answer[0][0]] == ["3", "1"]


def test_an_item_that_is_asked_for_a_thousand_times_comes_once(cast):
    juliet = cast("juliet")
    payload = f"<x xmlns='urn:x'>{'x' * 100_000}</x>"
    says(juliet, publish("urn:large", payload, "1"), done())
    answer = says(juliet, items("urn:large", "<item id='1'/>" * 1_000), done())
    assert [item.get("id") for item in answer[0][0]] == ["1"]


def test_a_long_list_comes_in_pages(cast):
    juliet = cast("juliet")
    for number in range(5):
        says(
            juliet,
            publish("urn:many", "<x xmlns='urn:x'/>", str(number), options={"max_items": "max"}),
            done(),
        )

    def page(content):
        rsm = f"<set xmlns='http://jabber.org/protocol/rsm'>{content}</set>"
        return iq("get", f"<items node='urn:many'/>{rsm}")

    def shown(answer):
        return [item.get("id") for item in answer[0][0]]

    def told(first, last, index):
        return done(
            f"<items/><set xmlns='http://jabber.org/protocol/rsm'><first index='{index}'>{first}</first>"
            f"<last>{last}</last><count>5</count></set>"
        )

    assert shown(says(juliet, page("<max>2</max>"), told("0", "1", 0))) == ["0", "1"]
    assert shown(says(juliet, page("<max>2</max><after>1</after>"), told("2", "3", 2))) == [
        "2",
        "3",
    ]
    assert shown(says(juliet, page("<max>2</max><before/>"), told("3", "4", 3))) == ["3", "4"]
    assert shown(says(juliet, page("<max>2</max><before>3</before>"), told("1", "2", 1))) == [
        "1",
        "2",
    ]
    says(
        juliet,
        page("<max>0</max>"),
        done("<items/><set xmlns='http://jabber.org/protocol/rsm'><count>5</count></set>"),
    )
    says(juliet, page("<after>nothing</after>"), refused("item-not-found"))
    says(juliet, page("<max>some</max>"), refused("bad-request"))


def test_more_than_fits_into_an_answer_comes_in_parts(cast):
    juliet = cast("juliet")
    payload = f"<x xmlns='urn:x'>{'x' * 200_000}</x>"
    for number in range(12):
        says(
            juliet, publish("urn:many", payload, str(number), options={"max_items": "max"}), done()
        )
    answer = says(
        juliet,
        items("urn:many"),
        done(
            "<items/><set xmlns='http://jabber.org/protocol/rsm'><last>8</last><count>12</count></set>"
        ),
    )
    assert [item.get("id") for item in answer[0][0]] == list("012345678")
    rest = iq(
        "get",
        "<items node='urn:many'/><set xmlns='http://jabber.org/protocol/rsm'><after>8</after></set>",
    )
    answer = says(juliet, rest, done())
    assert [item.get("id") for item in answer[0][0]] == ["9", "10", "11"]


def test_requests_that_make_no_sense_are_named(cast):
    juliet = cast("juliet")
    for content, error in (
        ("<publish><item/></publish>", ("bad-request", "nodeid-required")),
        ("<publish node='urn:n'/>", ("bad-request", "item-required")),
        ("<publish node='urn:n'><item/></publish>", ("bad-request", "payload-required")),
        (
            "<publish node='urn:n'><item><a xmlns='a:b'/><b xmlns='a:b'/></item></publish>",
            ("bad-request", "invalid-payload"),
        ),
        ("<retract node='urn:n'><item id='1'/></retract>", ("item-not-found",)),
        ("<retract><item id='1'/></retract>", ("bad-request", "nodeid-required")),
        ("<dance/>", ("bad-request",)),
    ):
        says(juliet, iq("set", content), refused(*error))
    says(juliet, iq("get", "<items node='urn:n'/>"), refused("item-not-found"))
    says(juliet, iq("get", "<items/>"), refused("bad-request", "nodeid-required"))
    says(juliet, publish("urn:n", "<x xmlns='urn:x'/>", "i" * 1024), refused("bad-request"))
    says(juliet, publish("n" * 1024, "<x xmlns='urn:x'/>"), refused("bad-request"))
    says(juliet, items("urn:n"), refused("item-not-found"))


# -- options and configuration -----------------------------------------------------------------


def test_options_configure_a_node_that_is_made(cast):
    juliet = cast("juliet")
    options = {"access_model": "open", "max_items": "max", "persist_items": "true"}
    says(juliet, publish("urn:n", "<x xmlns='urn:x'/>", "1", options=options), done())
    found = configuration(juliet, "urn:n")
    assert value_of(found, "pubsub#access_model") == ["open"]
    assert value_of(found, "pubsub#max_items") == ["max"]


def test_options_that_a_node_does_not_meet_stop_the_publication(cast):
    juliet = cast("juliet")
    says(juliet, publish("urn:n", "<x xmlns='urn:x'/>", "1"), done())
    conflict = refused("conflict", "precondition-not-met")
    for options in ({"access_model": "open"}, {"max_items": "7"}, {"invented": "1"}):
        says(juliet, publish("urn:n", "<x xmlns='urn:x'/>", "2", options=options), conflict)
    options = {"access_model": "presence", "persist_items": "1"}
    says(juliet, publish("urn:n", "<x xmlns='urn:x'/>", "3", options=options), done())
    answer = says(juliet, items("urn:n"), done())
    assert [item.get("id") for item in answer[0][0]] == ["3"]


def test_clients_that_make_a_node_at_once_cannot_both_say_who_sees_it(cast):
    desk, phone, watch = cast("juliet/desk", "juliet/phone", "juliet/watch")
    payload = "<x xmlns='urn:x'/>"
    for round in range(5):
        node, open = f"urn:n{round}", {"access_model": "open", "max_items": "max"}
        desk.send(publish(node, payload, "1", options=open))
        phone.send(publish(node, payload, "2", options={"access_model": "whitelist"}))
        watch.send(publish(node, payload, "3"))
        came = [client.receives("<iq id='1'/>") for client in (desk, phone, watch)]
        assert came[2].get("type") == "result"
        done_by = {one.get("type") for one in came[:2]}
        assert "error" in done_by
        refusal = next(one for one in came[:2] if one.get("type") == "error")
        assert refusal.find(f".//{{{ERRORS}}}precondition-not-met") is not None


def test_a_client_that_met_a_conflict_configures_the_node_and_goes_on(cast):
    juliet = cast("juliet")
    says(juliet, publish("urn:n", "<x xmlns='urn:x'/>", "1"), done())
    says(juliet, configure("urn:n", access_model="open"), done())
    options = {"access_model": "open"}
    says(juliet, publish("urn:n", "<x xmlns='urn:x'/>", "2", options=options), done())


def test_wrong_configurations_change_nothing(cast):
    juliet = cast("juliet")
    says(juliet, publish("urn:n", "<x xmlns='urn:x'/>", "1"), done())
    says(
        juliet,
        configure("urn:n", access_model="sesame"),
        refused("not-acceptable", "unsupported-access-model"),
    )
    says(juliet, configure("urn:n", max_items="many"), refused("not-acceptable"))
    says(
        juliet,
        configure("urn:n", persist_items="perhaps", access_model="open"),
        refused("not-acceptable"),
    )
    says(juliet, iq("set", "<configure node='urn:n'/>", namespace=OWNER), refused("bad-request"))
    says(juliet, configure("urn:other", access_model="open"), refused("item-not-found"))
    cancel = "<configure node='urn:n'><x xmlns='jabber:x:data' type='cancel'/></configure>"
    says(juliet, iq("set", cancel, namespace=OWNER), done())
    assert value_of(configuration(juliet, "urn:n"), "pubsub#access_model") == ["presence"]


def test_the_defaults_can_be_asked_for(cast):
    juliet = cast("juliet")
    juliet.sends(iq("get", "<default/>", namespace=OWNER))
    found = juliet.receives(
        f"<iq type='result' id='1'><pubsub xmlns='{OWNER}'><default/></pubsub></iq>"
    )
    assert value_of(found, "pubsub#access_model") == ["presence"]
    assert value_of(found, "pubsub#send_last_published_item") == ["on_sub_and_presence"]


def test_items_are_kept_for_as_long_as_that_is_configured(cast):
    juliet, romeo = cast("juliet", "romeo")
    cast.befriend(juliet, romeo)
    for expiry, node in (("1", "urn:short"), ("604800", "urn:week"), ("max", "urn:ever")):
        options = {"item_expire": expiry, "access_model": "open"}
        says(juliet, publish(node, "<x xmlns='urn:x'/>", "1", options=options), done())
    for bad in ("0", "-1", "soon", ""):
        says(juliet, configure("urn:short", item_expire=bad), refused("not-acceptable"))
    time.sleep(1.1)
    says(juliet, items("urn:week"), done("<items><item id='1'/></items>"))
    arrives(romeo, "urn:short", "urn:week", "urn:ever")
    shown = [romeo.receives("<message/>")[0][0].get("node") for _ in range(2)]
    assert sorted(shown) == ["urn:ever", "urn:week"]
    juliet.forget()
    answer = says(juliet, items("urn:short"), done("<items node='urn:short'/>"))
    assert len(answer[0][0]) == 0


def test_fewer_items_are_kept_when_that_is_configured(cast):
    juliet = cast("juliet")
    for number in "1234":
        says(
            juliet,
            publish("urn:n", "<x xmlns='urn:x'/>", number, options={"max_items": "max"}),
            done(),
        )
    says(juliet, configure("urn:n", max_items="2"), done())
    answer = says(juliet, items("urn:n"), done())
    assert [item.get("id") for item in answer[0][0]] == ["3", "4"]


def test_a_full_node_may_refuse(cast):
    juliet = cast("juliet")
    options = {"max_items": "1", "publish_node_full": "reject"}
    says(juliet, publish("urn:n", "<x xmlns='urn:x'/>", "1", options=options), done())
    says(juliet, publish("urn:n", "<x xmlns='urn:x'/>", "2"), refused("conflict", "node-full"))
    says(juliet, publish("urn:n", "<y xmlns='urn:x'/>", "1"), done())
    answer = says(juliet, items("urn:n"), done())
    assert [item.get("id") for item in answer[0][0]] == ["1"]


# -- making and removing -----------------------------------------------------------------------


def test_a_node_is_made_and_deleted(cast):
    juliet = cast("juliet")
    says(juliet, iq("set", "<create node='urn:n'/>"), done())
    says(juliet, iq("set", "<create node='urn:n'/>"), refused("conflict"))
    says(juliet, items("urn:n"), done("<items node='urn:n'/>"))
    says(juliet, iq("set", "<delete node='urn:n'/>", namespace=OWNER), done())
    says(juliet, items("urn:n"), refused("item-not-found"))
    says(juliet, iq("set", "<delete node='urn:n'/>", namespace=OWNER), refused("item-not-found"))


def test_a_node_without_a_name_gets_one(cast):
    juliet = cast("juliet")
    configure = f"<configure>{form('node_config', access_model='whitelist')}</configure>"
    made = says(juliet, iq("set", f"<create/>{configure}"), done("<create node='*'/>"))
    name = made[0][0].get("node")
    assert value_of(configuration(juliet, name), "pubsub#access_model") == ["whitelist"]


def test_an_item_is_retracted_and_who_listens_hears_of_it(cast):
    juliet = cast("juliet")
    listens(juliet, "urn:n")
    says(juliet, publish("urn:n", "<x xmlns='urn:x'/>", "1"), done())
    juliet.receives(event("<items node='urn:n'><item id='1'/></items>", juliet.bare))
    retract = "<retract node='urn:n' notify='true'><item id='1'/></retract>"
    says(juliet, iq("set", retract), done())
    juliet.receives(event("<items node='urn:n'><retract id='1'/></items>", juliet.bare))
    says(juliet, iq("set", retract), refused("item-not-found"))
    says(juliet, iq("set", "<retract node='urn:n'/>"), refused("bad-request", "item-required"))
    says(juliet, items("urn:n"), done("<items node='urn:n'/>"))


def test_a_node_is_purged_and_deleted_and_who_listens_hears_of_it(cast):
    juliet = cast("juliet")
    listens(juliet, "urn:n")
    says(juliet, publish("urn:n", "<x xmlns='urn:x'/>", "1"), done())
    juliet.receives(event("<items node='urn:n'/>"))
    says(juliet, iq("set", "<purge node='urn:n'/>", namespace=OWNER), done())
    juliet.receives(event("<purge node='urn:n'/>"))
    juliet.sends(iq("set", "<delete node='urn:n'/>", namespace=OWNER))
    juliet.receives_any_order(event("<delete node='urn:n'/>"), done())


# -- who hears of it ---------------------------------------------------------------------------


def test_who_listens_hears_of_it_and_nobody_else(cast):
    juliet, desk, romeo, phone, nurse = cast(
        "juliet/phone", "juliet/desk", "romeo/desk", "romeo/phone", "nurse"
    )
    cast.befriend(juliet, romeo)
    listens(desk, TUNE)
    listens(phone, TUNE, "urn:other")
    listens(nurse, TUNE)
    for client in (juliet, desk, romeo, phone, nurse):
        client.forget()
    says(juliet, publish(TUNE, SONG, "1"), done())
    heard = event(f"<items node='{TUNE}'><item id='1'>{SONG}</item></items>", juliet.bare)
    assert desk.receives(heard).get("to") == desk.jid
    assert phone.receives(heard).get("to") == phone.jid
    for client in (juliet, romeo, nurse):
        client.receives_nothing()


def test_capabilities_without_the_right_hash_count_for_that_client_alone(cast):
    juliet, phone, desk = cast("juliet", "juliet/phone", "juliet/desk")
    phone.forget()
    phone.sends(f"<presence>{caps(hash='bm90IHRydWUgYXQgYWxs')}</presence>")
    for client in (juliet, desk):
        client.forget()
    asked = [one for one in phone.came() if one.get("type") == "get"]
    answer(phone, asked[0], TUNE)
    phone.forget()
    desk.sends(f"<presence>{caps(hash='bm90IHRydWUgYXQgYWxs')}</presence>")
    assert [one for one in desk.came() if one.get("type") == "get"], "the hash was believed"
    for client in (juliet, phone, desk):
        client.forget()
    says(juliet, publish(TUNE, SONG, "1"), done())
    phone.receives(event(f"<items node='{TUNE}'/>"))
    desk.receives_nothing()


def test_capabilities_may_be_said_in_the_newer_way(cast):
    """With another hash than that of XEP-0115, which is believed when it is right, too."""
    juliet, phone, desk = cast("juliet", "juliet/phone", "juliet/desk")
    wanted = f"{TUNE}+notify\x1f\x1cclient\x1fphone\x1f\x1f\x1f\x1e\x1c\x1c"
    ver = base64.b64encode(hashlib.sha256(wanted.encode()).digest()).decode()
    hash = f"<hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>{ver}</hash>"
    said = f"<c xmlns='urn:xmpp:caps'>{hash}</c>"
    phone.sends(f"<presence>{said}</presence>")
    asked = [one for one in phone.came() if one.get("type") == "get"]
    if asked:  # nobody has said so yet
        assert asked[0][0].get("node") == f"urn:xmpp:caps#sha-256.{ver}"
        answer(phone, asked[0], TUNE)
        phone.settle()
    desk.sends(f"<presence>{said}</presence>")
    assert not [one for one in desk.came() if one.get("type") == "get"]
    juliet.forget()
    phone.forget()
    says(juliet, publish(TUNE, SONG, "1"), done())
    for client in (phone, desk):
        client.receives(event(f"<items node='{TUNE}'/>"))


def test_another_client_cannot_answer_for_someone(cast):
    juliet, mallory = cast("juliet", "mallory")
    juliet.sends(f"<presence>{caps('urn:secret')}</presence>")
    (asked,) = [one for one in juliet.came() if one.get("type") == "get"]
    mallory.sends(
        f"<iq type='result' id='{asked.get('id')}' to='{juliet.bare}'><query xmlns='{DISCO}#info'>"
        "<feature var='urn:secret+notify'/></query></iq>"
    )
    mallory.forget()
    juliet.forget()
    says(juliet, publish("urn:secret", "<x xmlns='urn:x'/>"), done())
    juliet.receives_nothing()


def test_who_comes_later_gets_the_last_item(cast):
    juliet, romeo = cast("juliet", "romeo")
    cast.befriend(juliet, romeo)
    says(juliet, publish(TUNE, SONG, "1"), done())
    arrives(romeo, TUNE)
    last = event(f"<items node='{TUNE}'><item id='1'>{SONG}</item></items>", juliet.bare)
    assert romeo.receives(last).find("{urn:xmpp:delay}delay") is not None
    romeo.sends("<presence><show>away</show></presence>")
    romeo.receives(f"<presence from='{romeo.jid}'/>")
    romeo.receives_nothing()
    romeo.sends("<presence type='unavailable'/>")
    romeo.forget()
    romeo.sends(f"<presence>{caps(TUNE)}</presence>")
    assert [one for one in romeo.came() if one.tag.endswith("message")]


def test_who_is_let_in_gets_the_last_item(cast):
    juliet, romeo = cast("juliet", "romeo")
    listens(romeo, TUNE)
    says(juliet, publish(TUNE, SONG, "1"), done())
    romeo.sends(f"<presence type='subscribe' to='{juliet.bare}'/>")
    romeo.settle()
    juliet.sends(f"<presence type='subscribed' to='{romeo.bare}'/>")
    juliet.settle()
    heard = [one for one in romeo.came() if one.tag.endswith("message")]
    assert [one[0][0].get("node") for one in heard] == [TUNE]


def test_a_node_that_is_opened_shows_its_last_item_to_those_who_may_see_it_now(cast):
    juliet, romeo, stranger = cast("juliet", "romeo", "stranger")
    cast.befriend(juliet, romeo)
    for client in (juliet, romeo, stranger):
        listens(client, TUNE)
    juliet.forget()
    says(juliet, publish(TUNE, SONG, "1", options={"access_model": "whitelist"}), done())
    juliet.forget()
    romeo.receives_nothing()
    says(juliet, configure(TUNE, access_model="presence"), done())
    told = romeo.receives(event(f"<items node='{TUNE}'><item id='1'>{SONG}</item></items>"))
    assert told.find("{urn:xmpp:delay}delay") is not None
    says(juliet, configure(TUNE, access_model="open"), done())
    for client in (juliet, romeo, stranger):
        client.receives_nothing()


def test_who_wants_more_gets_the_last_items_of_that(cast):
    juliet = cast("juliet")
    says(juliet, publish(TUNE, SONG, "1"), done())
    says(juliet, publish("urn:n", "<x xmlns='urn:x'/>", "1"), done())
    arrives(juliet, TUNE)
    juliet.receives(event(f"<items node='{TUNE}'/>"))
    arrives(juliet, TUNE, "urn:n")
    juliet.receives(event("<items node='urn:n'/>"))
    juliet.receives_nothing()


def test_the_last_item_is_not_sent_where_that_is_not_wanted(cast):
    juliet = cast("juliet")
    options = {"send_last_published_item": "never"}
    says(juliet, publish(TUNE, SONG, "1", options=options), done())
    arrives(juliet, TUNE)
    juliet.receives_nothing()


def test_notifications_without_content(cast):
    juliet = cast("juliet")
    listens(juliet, "urn:n")
    says(
        juliet,
        publish("urn:n", "<x xmlns='urn:x'/>", "1", options={"deliver_payloads": "0"}),
        done(),
    )
    heard = juliet.receives(event("<items node='urn:n'><item id='1'/></items>"))
    assert len(heard[0][0][0]) == 0


# -- access ------------------------------------------------------------------------------------


def test_strangers_see_what_is_open_and_nothing_else(cast):
    juliet, stranger = cast("juliet", "stranger")
    says(
        juliet,
        publish("urn:open", "<x xmlns='urn:x'/>", "1", options={"access_model": "open"}),
        done(),
    )
    says(juliet, publish("urn:closed", "<x xmlns='urn:x'/>", "1"), done())
    says(
        stranger,
        items("urn:open", to=juliet.bare),
        done("<items node='urn:open'><item id='1'/></items>"),
    )
    for request in (
        items("urn:closed", to=juliet.bare),
        items("urn:none", to=juliet.bare),
        items("urn:open", to=f"nobody@{juliet.domain}"),
        publish("urn:open", "<x xmlns='urn:x'/>", to=juliet.bare),
        publish("urn:new", "<x xmlns='urn:x'/>", to=juliet.bare),
        iq("set", "<create node='urn:new'/>", juliet.bare),
        iq("set", "<delete node='urn:open'/>", juliet.bare, namespace=OWNER),
        iq("get", "<configure node='urn:open'/>", juliet.bare, namespace=OWNER),
        iq("set", "<retract node='urn:open'><item id='1'/></retract>", juliet.bare),
    ):
        says(stranger, request, HIDDEN)
    says(juliet, items("urn:open"), done("<items node='urn:open'><item id='1'/></items>"))


def test_contacts_see_what_is_for_them(cast):
    juliet, romeo = cast("juliet", "romeo")
    cast.befriend(juliet, romeo)
    for model in ("open", "presence", "roster", "whitelist", "authorize"):
        options = {"access_model": model}
        says(juliet, publish(f"urn:{model}", "<x xmlns='urn:x'/>", "1", options=options), done())
    for model in ("open", "presence"):
        says(romeo, items(f"urn:{model}", to=juliet.bare), done("<items><item id='1'/></items>"))
    for model, error in (
        ("roster", ("not-authorized", "not-in-roster-group")),
        ("whitelist", ("not-allowed", "closed-node")),
        ("authorize", ("not-authorized", "not-subscribed")),
    ):
        says(romeo, items(f"urn:{model}", to=juliet.bare), refused(*error))
    says(romeo, publish("urn:open", "<x xmlns='urn:x'/>", to=juliet.bare), refused("forbidden"))
    listed = says(
        romeo,
        f"<iq type='get' id='1' to='{juliet.bare}'><query xmlns='{DISCO}#items'/></iq>",
        f"<iq type='result' id='1'><query xmlns='{DISCO}#items'/></iq>",
    )
    assert [item.get("node") for item in listed[0]] == ["urn:open", "urn:presence"]


def test_contacts_are_subscribers_where_these_may_publish(cast):
    juliet, romeo, paris = cast("juliet", "romeo", "paris")
    cast.befriend(juliet, romeo)
    options = {"publish_model": "subscribers", "max_items": "max"}
    says(juliet, publish("urn:n", "<x xmlns='urn:x'/>", "1", options=options), done())
    says(romeo, publish("urn:n", "<x xmlns='urn:x'/>", "2", juliet.bare), done())
    says(paris, publish("urn:n", "<x xmlns='urn:x'/>", "3", juliet.bare), HIDDEN)
    answer = says(juliet, items("urn:n"), done())
    assert [one.get("id") for one in answer[0][0]] == ["1", "2"]


def test_a_group_of_contacts(cast):
    juliet, romeo = cast("juliet", "romeo")
    cast.befriend(juliet, romeo)
    listens(romeo, "urn:n")
    juliet.forget()
    options = {"access_model": "roster", "roster_groups_allowed": ["Lovers", "Friends"]}
    says(juliet, publish("urn:n", "<x xmlns='urn:x'/>", "1", options=options), done())
    romeo.receives_nothing()
    item = f"<item jid='{romeo.bare}'><group>Lovers</group></item>"
    juliet.sends(f"<iq type='set' id='g'><query xmlns='jabber:iq:roster'>{item}</query></iq>")
    juliet.forget()
    romeo.receives(event("<items node='urn:n'><item id='1'/></items>"))
    says(romeo, items("urn:n", to=juliet.bare), done("<items><item id='1'/></items>"))
    says(juliet, publish("urn:n", "<x xmlns='urn:x'/>", "2"), done())
    romeo.receives(event("<items node='urn:n'><item id='2'/></items>"))
    more = item.replace("</item>", "<group>Friends</group></item>")
    juliet.sends(f"<iq type='set' id='g'><query xmlns='jabber:iq:roster'>{more}</query></iq>")
    juliet.forget()
    romeo.receives_nothing()


def subscribes(client, node, to):
    client.sends(iq("set", f"<subscribe node='{node}' jid='{client.bare}'/>", to))
    client.receives(done("<subscription subscription='subscribed'/>"))


def subscribers(client, node):
    client.sends(iq("get", f"<subscriptions node='{node}'/>", namespace=OWNER))
    answer = client.receives("<iq type='result' id='1'/>")
    return [one.get("jid") for one in answer[0][0]]


def test_who_leaves_the_group_is_no_subscriber_any_more(cast):
    juliet, romeo = cast("juliet", "romeo")
    cast.befriend(juliet, romeo)
    item = f"<item jid='{romeo.bare}'><group>Lovers</group></item>"
    juliet.sends(f"<iq type='set' id='g'><query xmlns='jabber:iq:roster'>{item}</query></iq>")
    juliet.forget()
    options = {"access_model": "roster", "roster_groups_allowed": "Lovers"}
    says(juliet, publish("urn:n", "<x xmlns='urn:x'/>", "1", options=options), done())
    subscribes(romeo, "urn:n", juliet.bare)
    romeo.forget()
    juliet.sends(
        f"<iq type='set' id='g'><query xmlns='jabber:iq:roster'><item jid='{romeo.bare}'/></query></iq>"
    )
    juliet.forget()
    gone = f"<subscription node='urn:n' jid='{romeo.bare}' subscription='none'/>"
    romeo.receives(event(gone, juliet.bare))
    assert subscribers(juliet, "urn:n") == []


@pytest.mark.parametrize("ends_it", ["juliet", "romeo", "removal"])
def test_who_does_not_see_the_presence_any_more_is_no_subscriber(cast, ends_it):
    juliet, romeo = cast("juliet", "romeo")
    cast.befriend(juliet, romeo)
    says(juliet, publish("urn:n", "<x xmlns='urn:x'/>", "1"), done())
    subscribes(romeo, "urn:n", juliet.bare)
    if ends_it == "juliet":
        juliet.sends(f"<presence type='unsubscribed' to='{romeo.bare}'/>")
    elif ends_it == "romeo":
        romeo.sends(f"<presence type='unsubscribe' to='{juliet.bare}'/>")
    else:
        removal = f"<item jid='{romeo.bare}' subscription='remove'/>"
        juliet.sends(
            f"<iq type='set' id='g'><query xmlns='jabber:iq:roster'>{removal}</query></iq>"
        )
    for client in (juliet, romeo, juliet):
        client.forget()
    assert subscribers(juliet, "urn:n") == []


def test_who_is_elsewhere_and_let_in_gets_the_last_item(cast, bridge):
    """Whoever adds a contact sees their presence first, and lets them in after that."""
    juliet, lark = cast("juliet"), "lark@bridge.h"
    says(juliet, publish(TUNE, SONG, item="song"), done())
    juliet.sends(f"<presence type='subscribe' to='{lark}'/>")
    bridge.receives("<presence type='subscribe'/>")
    bridge.sends(
        f"<presence type='subscribed' from='{lark}' to='{juliet.bare}'/>",
        f"<presence from='{lark}/x' to='{juliet.bare}'>{caps(TUNE, 'urn:new')}</presence>",
    )
    asked = bridge.receives(f"<iq type='get' to='{lark}/x'><query xmlns='{DISCO}#info'/></iq>")
    bridge.sends(
        f"<iq type='result' id='{asked.get('id')}' from='{lark}/x' to='{juliet.bare}'>"
        f"<query xmlns='{DISCO}#info' node='{asked[0].get('node')}'>"
        f"<identity category='client' type='phone'/><feature var='{TUNE}+notify'/>"
        "<feature var='urn:new+notify'/></query></iq>",
        f"<presence type='subscribe' from='{lark}' to='{juliet.bare}'/>",
    )
    juliet.forget()
    juliet.sends(f"<presence type='subscribed' to='{lark}'/>")
    bridge.receives(
        f"<presence type='subscribed' from='{juliet.bare}' to='{lark}'/>",
        f"<presence from='{juliet.jid}' to='{lark}'/>",
        f"<message from='{juliet.bare}' to='{lark}/x' type='headline'><event xmlns='{EVENT}'>"
        f"<items node='{TUNE}'><item id='song'/></items></event></message>",
    )
    juliet.forget()
    says(juliet, publish(TUNE, OTHER, item="other"), done())
    bridge.receives(f"<message to='{lark}/x'><event xmlns='{EVENT}'/></message>")


def test_a_whitelist_and_an_outcast(cast):
    juliet, romeo, paris = cast("juliet", "romeo", "paris")
    cast.befriend(juliet, romeo)
    cast.befriend(juliet, paris)
    says(
        juliet,
        publish("urn:n", "<x xmlns='urn:x'/>", "1", options={"access_model": "whitelist"}),
        done(),
    )
    changes = f"<affiliation jid='{romeo.bare}' affiliation='member'/>"
    says(
        juliet,
        iq("set", f"<affiliations node='urn:n'>{changes}</affiliations>", namespace=OWNER),
        done(),
    )
    says(romeo, items("urn:n", to=juliet.bare), done("<items><item id='1'/></items>"))
    says(paris, items("urn:n", to=juliet.bare), refused("not-allowed", "closed-node"))
    says(juliet, configure("urn:n", access_model="open"), done())
    changes = f"<affiliation jid='{paris.bare}' affiliation='outcast'/>"
    says(
        juliet,
        iq("set", f"<affiliations node='urn:n'>{changes}</affiliations>", namespace=OWNER),
        done(),
    )
    says(paris, items("urn:n", to=juliet.bare), refused("forbidden"))


def test_the_owner_stays_the_owner(cast):
    juliet = cast("juliet")
    says(juliet, publish("urn:n", "<x xmlns='urn:x'/>", "1"), done())
    for what in ("none", "member", "king"):
        changes = f"<affiliation jid='{juliet.bare}' affiliation='{what}'/>"
        says(
            juliet,
            iq("set", f"<affiliations node='urn:n'>{changes}</affiliations>", namespace=OWNER),
            refused("not-acceptable"),
        )


# -- discovery ---------------------------------------------------------------------------------


def test_an_account_says_what_it_can(cast):
    juliet = cast("juliet")
    found = says(
        juliet,
        f"<iq type='get' id='1'><query xmlns='{DISCO}#info'/></iq>",
        f"<iq type='result' id='1'><query xmlns='{DISCO}#info'><identity category='account' type='registered'/>"
        "<identity category='pubsub' type='pep'/></query></iq>",
    )
    features = {one.get("var") for one in found[0]}
    for name in (
        "publish-options",
        "access-presence",
        "auto-create",
        "config-node-max",
        "multi-items",
        "rsm",
    ):
        assert f"{PUBSUB}#{name}" in features


def test_a_node_says_what_it_is(cast):
    juliet = cast("juliet")
    says(juliet, publish("urn:n", "<x xmlns='urn:x'/>", "1", options={"title": "Things"}), done())
    found = says(
        juliet,
        f"<iq type='get' id='1' to='{juliet.bare}'><query xmlns='{DISCO}#info' node='urn:n'/></iq>",
        f"<iq type='result' id='1'><query xmlns='{DISCO}#info' node='urn:n'><identity category='pubsub' type='leaf'/>"
        "<x xmlns='jabber:x:data' type='result'/></query></iq>",
    )
    assert value_of(found, "pubsub#owner") == [juliet.bare]
    assert value_of(found, "pubsub#title") == ["Things"]
    says(
        juliet,
        f"<iq type='get' id='1' to='{juliet.bare}'><query xmlns='{DISCO}#items' node='urn:n'/></iq>",
        f"<iq type='result' id='1'><query xmlns='{DISCO}#items' node='urn:n'><item jid='{juliet.bare}' name='1'/></query></iq>",
    )
    says(
        juliet,
        f"<iq type='get' id='1' to='{juliet.bare}'><query xmlns='{DISCO}#info' node='urn:x'/></iq>",
        refused("item-not-found"),
    )


def test_the_own_subscriptions_and_affiliations(cast):
    juliet, romeo = cast("juliet", "romeo")
    cast.befriend(juliet, romeo)
    says(
        juliet,
        publish("urn:n", "<x xmlns='urn:x'/>", "1", options={"send_last_published_item": "never"}),
        done(),
    )
    says(romeo, iq("get", "<subscriptions/>", juliet.bare), done("<subscriptions/>"))
    subscribe = f"<subscribe node='urn:n' jid='{romeo.bare}'/>"
    says(
        romeo,
        iq("set", subscribe, juliet.bare),
        done(
            f"<subscription node='urn:n' jid='{romeo.bare}' subscription='subscribed' subid='*'/>"
        ),
    )
    says(
        romeo,
        iq("get", "<subscriptions/>", juliet.bare),
        done("<subscriptions><subscription node='urn:n'/></subscriptions>"),
    )
    says(
        juliet,
        iq("get", "<affiliations/>"),
        done("<affiliations><affiliation node='urn:n' affiliation='owner'/></affiliations>"),
    )
    says(juliet, publish("urn:n", "<x xmlns='urn:x'/>", "2"), done())
    romeo.receives(event("<items node='urn:n'><item id='2'/></items>", juliet.bare))
    juliet.sends(f"<presence type='unsubscribed' to='{romeo.bare}'/>")
    juliet.forget()
    romeo.forget()
    says(juliet, publish("urn:n", "<x xmlns='urn:x'/>", "3"), done())
    romeo.receives_nothing()
