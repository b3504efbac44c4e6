"""Who gets a message: RFC 6121 §5 and §8.5, kind by kind."""

import pytest

BODY = "<body>Hark!</body>"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def message(to, type=None, body=BODY):
    kind = f" type='{type}'" if type else ""
    return f"<message to='{to}'{kind} id='m1'>{body}</message>"


def error(condition, type="cancel"):
    return (
        f"<message type='error' id='m1'><error type='{type}'>"
        f"<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    )


def test_a_message_arrives_with_the_senders_address(cast):
    romeo, juliet = cast("romeo/orchard", "juliet/balcony")
    romeo.sends(message("juliet@h", "chat"))
    juliet.receives(
        f"<message from='romeo@h/orchard' to='juliet@h' type='chat' id='m1'>{BODY}</message>"
    )
    romeo.receives_nothing()


def test_a_forged_sender_ends_the_stream(cast):
    romeo, juliet = cast("romeo", "juliet")
    romeo.sends("<message from='mercutio@h' to='juliet@h'><body>x</body></message>")
    romeo.is_ended_with("invalid-from")
    juliet.receives_nothing()


@pytest.mark.parametrize("claimed", ["romeo@h", "romeo@h/orchard", "ROMEO@H/orchard"])
def test_ones_own_address_may_be_given(cast, claimed):
    romeo, juliet = cast("romeo/orchard", "juliet")
    romeo.sends(f"<message from='{claimed}' to='juliet@h'><body>x</body></message>")
    juliet.receives("<message from='romeo@h/orchard'/>")


@pytest.mark.parametrize("type", [None, "chat", "normal", "headline", "nonsense"])
def test_a_message_to_an_account_reaches_every_client_that_takes_messages(cast, type):
    romeo, phone, desk, lamp = cast("romeo", "juliet/phone", "juliet/desk", "juliet/lamp")
    lamp.sends("<presence><priority>-1</priority></presence>")
    for client in (lamp, phone, desk):
        client.forget()
    romeo.sends(message("juliet@h", type))
    phone.receives(f"<message to='juliet@h'>{BODY}</message>")
    desk.receives(f"<message to='juliet@h'>{BODY}</message>")
    lamp.receives_nothing()


def test_a_message_to_a_client_reaches_only_that_one(cast):
    romeo, phone, desk = cast("romeo", "juliet/phone", "juliet/desk")
    for type in ("chat", "normal", "headline", "groupchat"):
        romeo.sends(message("juliet@h/phone", type))
        phone.receives(f"<message to='juliet@h/phone' type='{type}'>{BODY}</message>")
    desk.receives_nothing()


def test_a_client_that_never_sent_presence_gets_what_is_addressed_to_it(cast):
    romeo = cast("romeo")
    phone = cast("juliet/phone", available=False)
    romeo.sends(message("juliet@h/phone", "chat"))
    phone.receives(f"<message>{BODY}</message>")


def test_a_groupchat_message_to_an_account_is_refused(cast):
    romeo, juliet = cast("romeo", "juliet")
    romeo.sends(message("juliet@h", "groupchat"))
    romeo.receives(error("service-unavailable"))
    juliet.receives_nothing()


def test_an_error_to_an_account_goes_nowhere(cast):
    romeo, juliet = cast("romeo", "juliet")
    romeo.sends(message("juliet@h", "error"))
    juliet.receives_nothing()
    romeo.receives_nothing()


def test_an_error_to_a_client_reaches_it(cast):
    romeo, juliet = cast("romeo", "juliet/phone")
    romeo.sends(message("juliet@h/phone", "error"))
    juliet.receives("<message type='error'/>")


def test_a_chat_message_for_a_client_that_left_reaches_the_others(cast):
    romeo, desk = cast("romeo", "juliet/desk")
    romeo.sends(message("juliet@h/phone", "chat"))
    desk.receives(f"<message to='juliet@h/phone'>{BODY}</message>")


@pytest.mark.parametrize("type", ["normal", "groupchat"])
def test_other_messages_for_a_client_that_left_are_refused(cast, type):
    romeo, desk = cast("romeo", "juliet/desk")
    romeo.sends(message("juliet@h/phone", type))
    romeo.receives(error("service-unavailable"))
    desk.receives_nothing()


def test_a_headline_for_a_client_that_left_is_dropped(cast):
    romeo, desk = cast("romeo", "juliet/desk")
    romeo.sends(message("juliet@h/phone", "headline"))
    romeo.receives_nothing()
    desk.receives_nothing()


@pytest.mark.parametrize("type", [None, "chat", "headline", "groupchat"])
@pytest.mark.parametrize("to", ["nobody@h", "nobody@h/phone", "h"])
def test_a_message_to_nobody_is_refused(cast, to, type):
    romeo = cast("romeo")
    romeo.sends(message(to, type))
    romeo.receives(error("service-unavailable"))


def test_a_message_without_an_address_is_for_oneself(cast):
    phone, desk = cast("juliet/phone", "juliet/desk")
    phone.forget()
    phone.sends(f"<message type='chat'>{BODY}</message>")
    phone.receives(f"<message from='juliet@h/phone'>{BODY}</message>")
    desk.receives(f"<message from='juliet@h/phone'>{BODY}</message>")


def test_a_malformed_address_is_refused(cast):
    romeo = cast("romeo")
    romeo.sends(message("@h/x", "chat"))
    romeo.receives(error("jid-malformed", "modify"))


def test_an_unknown_domain_is_refused(cast):
    romeo = cast("romeo")
    romeo.sends(message("juliet@capulet.example", "chat"))
    romeo.receives(error("remote-server-not-found"))


def test_markup_and_text_survive_the_way(cast):
    romeo, juliet = cast("romeo", "juliet")
    body = "<body>a &lt; b &amp; c > d ' \" é 🌹&#13;\n\t.</body>"
    romeo.sends(
        "<message to='juliet@h' type='chat' id=\"it's\">"
        + body
        + "<x:y xmlns:x='urn:one' x:z='1'><![CDATA[<&>]]><w xmlns='urn:two'/></x:y></message>"
    )
    got = juliet.receives(
        "<message id=\"it's\"><y xmlns='urn:one'><w xmlns='urn:two'/></y></message>"
    )
    assert got.findtext("{jabber:client}body") == "a < b & c > d ' \" é 🌹\r\n\t."
    assert got.find("{urn:one}y").text == "<&>"
    assert got.find("{urn:one}y").get("{urn:one}z") == "1"


def test_messages_keep_their_order(cast):
    romeo, juliet = cast("romeo", "juliet")
    romeo.sends(*[message("juliet@h", "chat", f"<body>{n}</body>") for n in range(200)])
    for n in range(200):
        juliet.receives(f"<message><body>{n}</body></message>")


@pytest.mark.parametrize(
    ("language", "told"), [("it", " xml:lang='it'"), ("x" * 5_000, "")], ids=["short", "long"]
)
def test_the_language_of_a_stream_goes_with_its_messages(cast, language, told):
    """If it can be one: it is written into every message."""
    juliet = cast("juliet")
    cast.account("romeo")
    romeo = cast.world.client()
    romeo.open = lambda **more: type(romeo).open(romeo, **({"xml:lang": language} | more))
    romeo.log_in("romeo", "wherefore art thou")
    cast.clients.append(romeo)
    romeo.sends(message("juliet@h", "chat"))
    heard = juliet.receives(f"<message{told}>{BODY}</message>")
    assert (XML_LANG in heard.attrib) is bool(told)
