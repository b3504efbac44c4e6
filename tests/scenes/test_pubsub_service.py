"""The box's own publish-subscribe service, at a domain of its own (XEP-0060)."""

import pytest

from support.commands import COMMANDS, command, field
from support.pep import DISCO, OWNER, PUBSUB, done, event, form, iq, items, publish, refused

SERVICE = "pubsub.h"
NODE = "musings"
ENTRY = "<entry xmlns='urn:entry'>Hark</entry>"


def says(client, stanza, answer):
    client.sends(stanza)
    return client.receives(answer)


def owner(type, content):
    return iq(type, content, SERVICE, namespace=OWNER)


def create(client, node=NODE, **config):
    says(
        client,
        iq(
            "set",
            f"<create node='{node}'/><configure>{form('node_config', **config)}</configure>",
            SERVICE,
        ),
        done(),
    )


def subscribe(client, node=NODE, jid=None):
    return iq("set", f"<subscribe node='{node}' jid='{jid or client.bare}'/>", SERVICE)


def subscribed(client, state="subscribed"):
    return done(
        f"<subscription node='{NODE}' jid='{client.bare}' subid='*' subscription='{state}'/>"
    )


@pytest.fixture
def admin(cast, world):
    """Somebody who may make nodes; what earlier tests made went with the account."""
    cast.account("admin")
    world.store.accounts.set_admin("admin", True)
    return cast("admin")


def test_it_is_found(cast):
    romeo = cast("romeo")
    listed = says(
        romeo,
        f"<iq type='get' id='1' to='h'><query xmlns='{DISCO}#items'/></iq>",
        f"<iq type='result' id='1'><query xmlns='{DISCO}#items'/></iq>",
    )
    assert SERVICE in [item.get("jid") for item in listed[0]]
    found = says(
        romeo,
        f"<iq type='get' id='1' to='{SERVICE}'><query xmlns='{DISCO}#info'/></iq>",
        f"<iq type='result' id='1' from='{SERVICE}'><query><identity category='pubsub' type='service'/></query></iq>".replace(
            "<query>", f"<query xmlns='{DISCO}#info'>"
        ),
    )
    features = {one.get("var") for one in found[0]}
    assert {PUBSUB, f"{PUBSUB}#publish", f"{PUBSUB}#subscribe", f"{PUBSUB}#access-open"} <= features
    assert f"{PUBSUB}#auto-create" not in features
    says(
        romeo,
        f"<iq type='get' id='1' to='{SERVICE}'><ping xmlns='urn:xmpp:ping'/></iq>",
        f"<iq type='result' from='{SERVICE}' id='1'/>",
    )


def test_only_administrators_make_nodes(cast):
    romeo = cast("romeo")
    says(romeo, iq("set", f"<create node='{NODE}'/>", SERVICE), refused("forbidden"))
    says(romeo, publish(NODE, ENTRY, to=SERVICE), refused("item-not-found"))


def test_who_subscribes_hears(cast, admin):
    romeo, paris = cast("romeo", "paris")
    create(admin)
    says(romeo, subscribe(romeo), subscribed(romeo))
    says(romeo, subscribe(romeo), subscribed(romeo))
    says(
        admin,
        publish(NODE, ENTRY, "1", to=SERVICE),
        done(f"<publish node='{NODE}'><item id='1'/></publish>"),
    )
    romeo.receives(event(f"<items node='{NODE}'><item id='1'>{ENTRY}</item></items>", SERVICE))
    paris.receives_nothing()
    says(
        paris,
        items(NODE, to=SERVICE),
        done(f"<items node='{NODE}'><item id='1'>{ENTRY}</item></items>"),
    )
    says(
        romeo,
        iq("set", f"<unsubscribe node='{NODE}' jid='{romeo.bare}'/>", SERVICE),
        subscribed(romeo, "none"),
    )
    says(admin, publish(NODE, ENTRY, "2", to=SERVICE), done())
    romeo.receives_nothing()


def test_a_new_subscriber_gets_the_last_item(cast, admin):
    romeo = cast("romeo")
    create(admin)
    says(admin, publish(NODE, ENTRY, "1", to=SERVICE), done())
    says(romeo, subscribe(romeo), subscribed(romeo))
    romeo.receives(event(f"<items node='{NODE}'><item id='1'>{ENTRY}</item></items>", SERVICE))


def test_one_client_alone_may_subscribe(cast, admin):
    phone, desk = cast("romeo/phone", "romeo/desk")
    phone.forget()
    create(admin)
    says(
        phone,
        subscribe(phone, jid=phone.jid),
        done(f"<subscription jid='{phone.jid}' subscription='subscribed'/>"),
    )
    says(admin, publish(NODE, ENTRY, "1", to=SERVICE), done())
    phone.receives(event(f"<items node='{NODE}'/>", SERVICE))
    desk.receives_nothing()


def test_subscriptions_that_cannot_be(cast, admin):
    romeo = cast("romeo")
    create(admin)
    says(romeo, subscribe(romeo, jid="juliet@h"), refused("bad-request", "invalid-jid"))
    says(
        romeo,
        iq("set", f"<subscribe node='{NODE}'/>", SERVICE),
        refused("bad-request", "jid-required"),
    )
    says(romeo, subscribe(romeo, "nowhere"), refused("item-not-found"))
    says(
        romeo,
        iq("set", f"<unsubscribe node='{NODE}' jid='{romeo.bare}'/>", SERVICE),
        refused("unexpected-request", "not-subscribed"),
    )
    says(
        romeo,
        iq("set", f"<unsubscribe node='{NODE}' jid='juliet@h'/>", SERVICE),
        refused("forbidden"),
    )
    says(
        romeo,
        iq("get", f"<options node='{NODE}' jid='{romeo.bare}'/>", SERVICE),
        refused("feature-not-implemented", "unsupported", feature="subscription-options"),
    )
    says(
        admin,
        owner(
            "set",
            f"<affiliations node='{NODE}'><affiliation jid='{romeo.bare}' affiliation='outcast'/></affiliations>",
        ),
        done(),
    )
    says(romeo, subscribe(romeo), refused("forbidden"))


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("presence", ("not-authorized", "presence-subscription-required")),
        ("roster", ("not-authorized", "not-in-roster-group")),
        ("whitelist", ("not-allowed", "closed-node")),
    ],
)
def test_access_models(cast, admin, model, error):
    romeo = cast("romeo")
    create(admin, access_model=model)
    says(romeo, subscribe(romeo), refused(*error))
    says(romeo, items(NODE, to=SERVICE), refused(*error))
    says(
        romeo,
        f"<iq type='get' id='1' to='{SERVICE}'><query xmlns='{DISCO}#items' node='{NODE}'/></iq>",
        refused("item-not-found"),
    )


def test_that_a_node_is_there_is_no_secret_but_what_is_known_of_it(cast, admin):
    romeo = cast("romeo")
    create(admin, access_model="whitelist", title="Secrets")
    question = f"<query xmlns='{DISCO}#info' node='{NODE}'/>"
    info = says(
        romeo,
        f"<iq type='get' id='1' to='{SERVICE}'>{question}</iq>",
        f"<iq type='result' id='1'><query xmlns='{DISCO}#info' node='{NODE}'>"
        f"<identity category='pubsub' type='leaf'/><feature var='{PUBSUB}'/></query></iq>",
    )
    assert info[0].find("{jabber:x:data}x") is None
    listed = says(
        romeo,
        f"<iq type='get' id='1' to='{SERVICE}'><query xmlns='{DISCO}#items'/></iq>",
        "<iq type='result' id='1'/>",
    )
    assert NODE not in [item.get("node") for item in listed[0]]


def test_an_owner_is_asked(cast, admin):
    romeo = cast("romeo")
    create(admin, access_model="authorize")
    says(romeo, subscribe(romeo), subscribed(romeo, "pending"))
    says(romeo, subscribe(romeo), refused("not-authorized", "pending-subscription"))
    says(romeo, items(NODE, to=SERVICE), refused("not-authorized", "not-subscribed"))
    asked = admin.receives(
        f"<message from='{SERVICE}'><x xmlns='jabber:x:data' type='form'/></message>"
    )
    says(admin, publish(NODE, ENTRY, "1", to=SERVICE), done())
    romeo.receives_nothing()
    answer = form("subscribe_authorization", node=NODE, subscriber_jid=romeo.bare, allow="true")
    romeo.sends(f"<message to='{SERVICE}' id='{asked.get('id')}'>{answer}</message>")
    romeo.receives(
        f"<message type='error' from='{SERVICE}'><error><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    )
    admin.sends(f"<message to='{SERVICE}' id='{asked.get('id')}'>{answer}</message>")
    romeo.receives(
        event(f"<subscription node='{NODE}' jid='{romeo.bare}' subscription='subscribed'/>")
    )
    romeo.receives(event(f"<items node='{NODE}'><item id='1'/></items>"))
    says(romeo, items(NODE, to=SERVICE), done(f"<items node='{NODE}'><item id='1'/></items>"))


def test_owners_manage_subscriptions(cast, admin):
    romeo = cast("romeo")
    create(admin)
    change = f"<subscription jid='{romeo.bare}' subscription='subscribed'/>"
    says(admin, owner("set", f"<subscriptions node='{NODE}'>{change}</subscriptions>"), done())
    romeo.receives(event(f"<subscription node='{NODE}' subscription='subscribed'/>"))
    listed = f"<iq type='result' id='1'><pubsub xmlns='{OWNER}'><subscriptions node='{NODE}'>{change}</subscriptions></pubsub></iq>"
    says(admin, owner("get", f"<subscriptions node='{NODE}'/>"), listed)
    says(romeo, owner("get", f"<subscriptions node='{NODE}'/>"), refused("forbidden"))
    says(
        romeo,
        owner("set", f"<subscriptions node='{NODE}'>{change}</subscriptions>"),
        refused("forbidden"),
    )


def entries(kind, *pairs, name):
    """<subscriptions/> or <affiliations/> with (address, what they are)."""
    inner = "".join(f"<{name} jid='{jid}' {name}='{what}'/>" for jid, what in pairs)
    return f"<{kind} node='{NODE}'>{inner}</{kind}>"


def unchanged(condition, content):
    return (
        f"<iq type='error' id='1'><pubsub xmlns='{OWNER}'>{content}</pubsub>"
        f"<error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    )


def test_of_several_changes_all_are_made_or_none(cast, admin):
    """And whoever asked hears how things still are (§8.8.2.4, §8.9.2.4)."""
    romeo = cast("romeo")
    create(admin)
    says(romeo, subscribe(romeo), subscribed(romeo))

    def subscriptions(*pairs):
        return entries("subscriptions", *pairs, name="subscription")

    def affiliations(*pairs):
        return entries("affiliations", *pairs, name="affiliation")

    says(
        admin,
        owner("set", subscriptions((romeo.bare, "none"), ("x@h", "subscribed"), ("y@h", "king"))),
        unchanged(
            "not-acceptable",
            subscriptions((romeo.bare, "subscribed"), ("x@h", "none"), ("y@h", "none")),
        ),
    )
    says(
        admin,
        owner("set", affiliations((romeo.bare, "publisher"), (admin.bare, "none"))),
        unchanged("not-acceptable", affiliations((romeo.bare, "none"), (admin.bare, "owner"))),
    )
    twice = affiliations((romeo.bare, "publisher"), (f"{romeo.bare}/x", "outcast"))
    says(admin, owner("set", twice), refused("bad-request"))
    romeo.receives_nothing()
    listed = says(admin, owner("get", f"<affiliations node='{NODE}'/>"), "<iq type='result'/>")
    assert [one.get("jid") for one in listed[0][0]] == [admin.bare]
    listed = says(admin, owner("get", f"<subscriptions node='{NODE}'/>"), "<iq type='result'/>")
    assert [one.get("jid") for one in listed[0][0]] == [romeo.bare]


def test_whoever_names_a_subscription_names_theirs(cast, admin):
    romeo = cast("romeo")
    create(admin)
    says(romeo, items(NODE, to=SERVICE, attributes=" subid='x'"), done("<items/>"))
    answer = says(romeo, subscribe(romeo), subscribed(romeo))
    subid = answer[0][0].get("subid")
    wrong = refused("not-acceptable", "invalid-subid")
    says(romeo, items(NODE, to=SERVICE, attributes=" subid='x'"), wrong)
    says(romeo, items(NODE, to=SERVICE, attributes=f" subid='{subid}'"), done("<items/>"))
    change = f"<subscription jid='{romeo.bare}' subid='x' subscription='none'/>"
    says(admin, owner("set", f"<subscriptions node='{NODE}'>{change}</subscriptions>"), wrong)
    leave = f"<unsubscribe node='{NODE}' jid='{romeo.bare}'"
    says(romeo, iq("set", f"{leave} subid='x'/>", SERVICE), wrong)
    says(romeo, iq("set", f"{leave} subid='{subid}'/>", SERVICE), done())


def test_who_may_publish_takes_back_what_they_published(cast, admin):
    romeo, juliet = cast("romeo", "juliet")
    create(admin, publish_model="open", max_items="max")
    says(romeo, publish(NODE, ENTRY, "1", to=SERVICE), done())
    retract = iq("set", f"<retract node='{NODE}'><item id='1'/></retract>", SERVICE)
    says(juliet, retract, refused("forbidden"))
    says(romeo, retract, done())
    says(romeo, retract, refused("item-not-found"))


def test_a_configuration_follows_what_is_created(cast, admin):
    form_of_it = f"<configure>{form('node_config', title='x')}</configure>"
    says(admin, iq("set", f"{form_of_it}<create node='{NODE}'/>", SERVICE), refused("bad-request"))
    says(admin, owner("get", f"<configure node='{NODE}'/>"), refused("item-not-found"))


@pytest.mark.parametrize(
    ("condition", "stays"), [("gone", False), ("item-not-found", False), ("forbidden", True)]
)
def test_who_is_gone_is_no_subscriber_any_more(cast, admin, bridge, condition, stays):
    lark = "lark@bridge.h"
    create(admin)
    bridge.sends(
        f"<iq type='set' id='s' from='{lark}/x' to='{SERVICE}'><pubsub xmlns='{PUBSUB}'>"
        f"<subscribe node='{NODE}' jid='{lark}'/></pubsub></iq>"
    )
    bridge.receives("<iq type='result' id='s'/>")
    says(admin, publish(NODE, ENTRY, "1", to=SERVICE), done())
    bridge.receives(f"<message to='{lark}' from='{SERVICE}'/>")
    reason = (
        f"<error type='cancel'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
    )
    bridge.sends(f"<message type='error' from='{lark}' to='{SERVICE}'>{reason}</message>")
    bridge.settle()
    listed = says(admin, owner("get", f"<subscriptions node='{NODE}'/>"), "<iq type='result'/>")
    assert [one.get("jid") for one in listed[0][0]] == ([lark] if stays else [])


def test_collections_are_not_there(cast, admin):
    says(
        admin,
        iq(
            "set",
            f"<create node='{NODE}'/><configure>{form('node_config', node_type='collection')}</configure>",
            SERVICE,
        ),
        refused("feature-not-implemented", "unsupported", feature="collections"),
    )
    says(
        admin,
        owner("get", "<default type='collection'/>"),
        refused("feature-not-implemented", "unsupported", feature="collections"),
    )


def test_who_waits_hears_that_the_node_is_gone(cast, admin):
    romeo = cast("romeo")
    create(admin, access_model="authorize")
    says(romeo, subscribe(romeo), subscribed(romeo, "pending"))
    admin.forget()
    says(admin, publish(NODE, ENTRY, "1", to=SERVICE), done())
    romeo.receives_nothing()
    says(admin, owner("set", f"<delete node='{NODE}'/>"), done())
    romeo.receives(event(f"<delete node='{NODE}'/>", SERVICE))


def test_publishers_publish(cast, admin):
    romeo = cast("romeo")
    create(admin)
    says(romeo, publish(NODE, ENTRY, "1", to=SERVICE), refused("forbidden"))
    grant = f"<affiliation jid='{romeo.bare}' affiliation='publisher'/>"
    says(admin, owner("set", f"<affiliations node='{NODE}'>{grant}</affiliations>"), done())
    says(admin, publish(NODE, ENTRY, "mine", to=SERVICE), done())
    says(romeo, publish(NODE, ENTRY, "1", to=SERVICE), done())
    says(
        romeo,
        iq("set", f"<retract node='{NODE}'><item id='mine'/></retract>", SERVICE),
        refused("forbidden"),
    )
    says(romeo, iq("set", f"<retract node='{NODE}'><item id='1'/></retract>", SERVICE), done())
    says(romeo, owner("set", f"<delete node='{NODE}'/>"), refused("forbidden"))
    says(romeo, owner("get", f"<configure node='{NODE}'/>"), refused("forbidden"))
    says(
        romeo,
        iq("get", "<affiliations/>", SERVICE),
        done(f"<affiliations><affiliation node='{NODE}' affiliation='publisher'/></affiliations>"),
    )


def test_nodes_that_only_notify(cast, admin):
    romeo = cast("romeo")
    create(admin, persist_items="0", deliver_payloads="0")
    says(romeo, subscribe(romeo), subscribed(romeo))
    says(admin, publish(NODE, ENTRY, "1", to=SERVICE), refused("bad-request", "item-forbidden"))
    says(admin, iq("set", f"<publish node='{NODE}'/>", SERVICE), done())
    assert len(romeo.receives(event(f"<items node='{NODE}'/>", SERVICE))[0][0]) == 0


def test_the_nodes_are_listed(cast, admin):
    romeo = cast("romeo")
    create(admin, title="My thoughts")
    says(
        romeo,
        f"<iq type='get' id='1' to='{SERVICE}'><query xmlns='{DISCO}#items'/></iq>",
        f"<iq type='result' id='1'><query xmlns='{DISCO}#items'><item jid='{SERVICE}' node='{NODE}' name='My thoughts'/></query></iq>",
    )
    says(
        romeo,
        f"<iq type='get' id='1' to='{SERVICE}'><query xmlns='{DISCO}#info' node='{NODE}'/></iq>",
        f"<iq type='result' id='1'><query xmlns='{DISCO}#info'><identity category='pubsub' type='leaf'/></query></iq>",
    )
    says(admin, owner("set", f"<delete node='{NODE}'/>"), done())


def test_messages_for_nobody_are_refused(cast):
    romeo = cast("romeo")
    romeo.sends(f"<message to='{SERVICE}'><body>Hello?</body></message>")
    romeo.receives(f"<message type='error' from='{SERVICE}'/>")


def state(client, what):
    """What a subscriber is told about the subscription."""
    return (
        f"<message from='{SERVICE}'><event xmlns='{PUBSUB}#event'>"
        f"<subscription node='{NODE}' jid='{client.bare}' subscription='{what}'/></event></message>"
    )


def test_who_waits_is_let_in_when_nobody_has_to_agree_any_more(cast, admin):
    romeo = cast("romeo")
    create(admin, access_model="authorize")
    says(admin, publish(NODE, ENTRY, "1", SERVICE), done())
    says(romeo, subscribe(romeo), subscribed(romeo, "pending"))
    admin.forget()
    change = f"<configure node='{NODE}'>{form('node_config', access_model='open')}</configure>"
    says(admin, owner("set", change), done())
    romeo.receives(state(romeo, "subscribed"))
    romeo.receives(event(f"<items node='{NODE}'><item id='1'>{ENTRY}</item></items>", SERVICE))


def test_who_may_not_be_there_any_more_goes(cast, admin):
    romeo, mallory = cast("romeo", "mallory")
    create(admin)
    for client in (romeo, mallory):
        says(client, subscribe(client), subscribed(client))
    out = f"<affiliations node='{NODE}'><affiliation jid='{mallory.bare}' affiliation='outcast'/></affiliations>"
    says(admin, owner("set", out), done())
    mallory.receives(state(mallory, "none"))
    change = f"<configure node='{NODE}'>{form('node_config', access_model='whitelist')}</configure>"
    says(admin, owner("set", change), done())
    romeo.receives(state(romeo, "none"))
    says(romeo, iq("get", "<subscriptions/>", SERVICE), done("<subscriptions/>"))
    says(admin, publish(NODE, ENTRY, "1", SERVICE), done())
    romeo.receives_nothing()
    mallory.receives_nothing()


def test_publishers_who_wait_are_let_in(cast, admin):
    romeo = cast("romeo")
    create(admin, access_model="authorize")
    says(romeo, subscribe(romeo), subscribed(romeo, "pending"))
    admin.forget()
    change = f"<affiliations node='{NODE}'><affiliation jid='{romeo.bare}' affiliation='publisher'/></affiliations>"
    says(admin, owner("set", change), done())
    romeo.receives(state(romeo, "subscribed"))


PENDING = f"{PUBSUB}#get-pending"


def test_owners_ask_who_waits(cast, admin):
    romeo = cast("romeo")
    create(admin, access_model="authorize")
    says(romeo, subscribe(romeo), subscribed(romeo, "pending"))
    admin.forget()
    admin.sends(command(PENDING, "execute", to=SERVICE))
    asked = admin.receives(
        f"<iq type='result'><command xmlns='{COMMANDS}' status='executing'/></iq>"
    )
    options = [one.findtext("{*}value") for one in asked[0].iter("{jabber:x:data}option")]
    assert options == [NODE]
    id = asked[0].get("sessionid")
    admin.sends(command(PENDING, "complete", id, {"pubsub#node": [NODE]}, to=SERVICE))
    admin.receives(f"<iq type='result'><command xmlns='{COMMANDS}' status='completed'/></iq>")
    question = admin.receives(
        f"<message from='{SERVICE}'><x xmlns='jabber:x:data' type='form'/></message>"
    )
    assert field(question, "pubsub#subscriber_jid") == [romeo.bare]
    assert field(question, "pubsub#node") == [NODE]


def test_others_do_not_hear_who_waits(cast, admin):
    romeo = cast("romeo")
    create(admin, access_model="authorize")
    romeo.sends(command(PENDING, "execute", to=SERVICE))
    romeo.receives(
        "<iq type='error' id='c'><error><forbidden/></error></iq>".replace(
            "<forbidden/>", "<forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
        )
    )
    admin.sends(command(PENDING, "execute", to=SERVICE))
    id = admin.receives("<iq type='result'/>")[0].get("sessionid")
    admin.sends(command(PENDING, "complete", id, {"pubsub#node": ["nothing"]}, to=SERVICE))
    admin.receives(
        "<iq type='error' id='c'><error><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    )


def configure(client, **config):
    content = f"<configure node='{NODE}'>{form('node_config', **config)}</configure>"
    says(client, owner("set", content), done())


def test_what_subscribers_are_told_of_is_configured(cast, admin):
    romeo = cast("romeo")
    create(admin, notify_config="1", notify_retract="1")
    says(romeo, subscribe(romeo), subscribed(romeo))
    says(admin, publish(NODE, ENTRY, "1", SERVICE), done())
    romeo.receives(event(f"<items node='{NODE}'><item id='1'/></items>", SERVICE))
    retract = f"<retract node='{NODE}'><item id='1'/></retract>"
    says(admin, iq("set", retract, SERVICE), done())
    romeo.receives(event(f"<items node='{NODE}'><retract id='1'/></items>", SERVICE))
    configure(admin, title="Thoughts", notify_retract="0")
    told = romeo.receives(event(f"<configuration node='{NODE}'/>", SERVICE))
    assert field(told, "pubsub#title") == ["Thoughts"]
    says(admin, publish(NODE, ENTRY, "2", SERVICE), done())
    romeo.forget()
    says(admin, iq("set", retract.replace("'1'", "'2'"), SERVICE), done())
    romeo.receives_nothing()
    configure(admin, notify_delete="0", notify_config="0")
    says(admin, owner("set", f"<delete node='{NODE}'/>"), done())
    romeo.receives_nothing()


def test_who_is_subscribed_hears_where_a_deleted_node_went(cast, admin):
    romeo = cast("romeo")
    create(admin)
    says(romeo, subscribe(romeo), subscribed(romeo))
    redirect = "<redirect uri='xmpp:other.example?;node=musings'/>"
    says(admin, owner("set", f"<delete node='{NODE}'>{redirect}</delete>"), done())
    romeo.receives(event(f"<delete node='{NODE}'>{redirect}</delete>", SERVICE))
    says(romeo, iq("get", "<subscriptions/>", SERVICE), done("<subscriptions/>"))


def test_what_one_is_to_the_nodes_can_be_asked_for(cast, admin):
    romeo, juliet = cast("romeo", "juliet")
    create(admin)
    member = f"<affiliation jid='{romeo.bare}' affiliation='member'/>"
    says(admin, owner("set", f"<affiliations node='{NODE}'>{member}</affiliations>"), done())
    says(romeo, subscribe(romeo), subscribed(romeo))
    for node in ("", f" node='{NODE}'"):
        mine = f"<affiliations><affiliation node='{NODE}' affiliation='member'/></affiliations>"
        says(romeo, iq("get", f"<affiliations{node}/>", SERVICE), done(mine))
        mine = f"<subscriptions><subscription node='{NODE}' jid='{romeo.bare}' subscription='subscribed'/></subscriptions>"
        says(romeo, iq("get", f"<subscriptions{node}/>", SERVICE), done(mine))
    for what in ("affiliations", "subscriptions"):
        answer = says(juliet, iq("get", f"<{what}/>", SERVICE), done(f"<{what}/>"))
        assert len(answer[0][0]) == 0
        says(romeo, owner("get", f"<{what} node='{NODE}'/>"), refused("forbidden"))
        says(admin, owner("get", f"<{what} node='nothing'/>"), refused("item-not-found"))
    asked = says(admin, owner("get", f"<affiliations node='{NODE}'/>"), "<iq type='result'/>")
    known = {one.get("jid"): one.get("affiliation") for one in asked[0][0]}
    assert known == {admin.bare: "owner", romeo.bare: "member"}


def test_publish_options_are_conditions_at_the_service_too(cast, admin):
    create(admin)
    says(admin, publish(NODE, ENTRY, "1", SERVICE, options={"access_model": "open"}), done())
    for options in ({"access_model": "whitelist"}, {"max_items": "max"}, {"unheard": "of"}):
        answer = refused("conflict", "precondition-not-met")
        says(admin, publish(NODE, ENTRY, "2", SERVICE, options=options), answer)
    says(admin, publish("nothing", ENTRY, "1", SERVICE), refused("item-not-found"))
    found = says(admin, items(NODE, to=SERVICE), done("<items/>"))
    assert [item.get("id") for item in found[0][0]] == ["1"]


def test_options_of_subscriptions_are_not_there(cast, admin):
    romeo = cast("romeo")
    create(admin)
    no = refused("feature-not-implemented", "unsupported", feature="subscription-options")
    asked = f"<options node='{NODE}' jid='{romeo.bare}'/>"
    says(romeo, iq("get", asked, SERVICE), no)
    says(romeo, iq("set", asked, SERVICE), no)
    wanted = f"<options>{form('subscribe_options', deliver='0')}</options>"
    both = f"<subscribe node='{NODE}' jid='{romeo.bare}'/>{wanted}"
    says(romeo, iq("set", both, SERVICE), no)


def test_the_language_of_a_node_is_chosen_from_a_list(cast):
    """XEP-0060 §5.4; whoever speaks a language that is not in it writes its tag."""
    romeo = cast("romeo")
    romeo.sends(publish("musings", "<entry xmlns='urn:entry'/>", "a"))
    romeo.answer("1")
    for tag in ("de", "gsw"):
        form_of_it = form("node_config", language=tag)
        romeo.sends(
            iq("set", f"<configure node='musings'>{form_of_it}</configure>", namespace=OWNER)
        )
        assert romeo.answer("1").get("type") == "result"
        romeo.sends(iq("get", "<configure node='musings'/>", namespace=OWNER))
        (field,) = romeo.answer("1").iterfind(".//{*}field[@var='pubsub#language']")
        assert field.get("type") == "list-single"
        options = [one.findtext("{*}value") for one in field.iterfind("{*}option")]
        assert {"de", "en", tag} <= set(options)
        assert field.findtext("{*}value") == tag
