"""Messages for people who are away: XEP-0160."""

import pytest

DELAY = "<delay xmlns='urn:xmpp:delay' from='h' stamp='*'/>"


def chat(body, to="juliet@h", type="chat"):
    return f"<message to='{to}' type='{type}'><body>{body}</body></message>"


def comes_back(cast, name="juliet"):
    client = cast.log_in(name)
    client.sends("<presence/>")
    return client


def test_what_came_meanwhile_is_there_at_login_in_order(cast):
    romeo = cast("romeo/orchard")
    cast.account("juliet")
    romeo.sends(chat("one"), chat("two", type="normal"), chat("three", to="juliet@h/phone"))
    romeo.receives_nothing()
    juliet = comes_back(cast)
    juliet.receives("<presence/>")
    for body, type in (("one", "chat"), ("two", "normal"), ("three", "chat")):
        juliet.receives(
            f"<message from='romeo@h/orchard' type='{type}'><body>{body}</body>{DELAY}</message>"
        )
    juliet.receives_nothing()
    juliet.leaves()
    again = comes_back(cast)
    again.receives("<presence/>")
    again.receives_nothing()


def test_a_client_that_takes_no_messages_does_not_get_them(cast):
    romeo = cast("romeo")
    lamp = cast.log_in("juliet/lamp")
    lamp.sends("<presence><priority>-1</priority></presence>")
    lamp.receives("<presence/>")
    romeo.sends(chat("Hark!"))
    romeo.settle()
    lamp.receives_nothing()
    phone = comes_back(cast, "juliet/phone")
    phone.receives_any_order(
        "<presence from='juliet@h/lamp'/>",
        "<presence from='juliet@h/phone'/>",
        f"<message><body>Hark!</body>{DELAY}</message>",
    )
    lamp.receives("<presence from='juliet@h/phone'/>")
    lamp.receives_nothing()


def test_a_client_gets_them_when_it_becomes_ready_for_messages(cast):
    romeo = cast("romeo")
    juliet = cast.log_in("juliet")
    juliet.sends("<presence><priority>-1</priority></presence>")
    juliet.receives("<presence/>")
    romeo.sends(chat("Hark!"))
    romeo.settle()
    juliet.sends("<presence/>")
    juliet.receives("<presence/>", f"<message><body>Hark!</body>{DELAY}</message>")


@pytest.mark.parametrize("type", ["headline", "error"])
def test_what_is_only_for_now_is_not_kept(cast, type):
    romeo = cast("romeo")
    cast.account("juliet")
    romeo.sends(chat("Hark!", type=type))
    romeo.receives_nothing()
    juliet = comes_back(cast)
    juliet.receives("<presence/>")
    juliet.receives_nothing()


def test_typing_is_not_kept(cast):
    romeo = cast("romeo")
    cast.account("juliet")
    romeo.sends(
        "<message to='juliet@h' type='chat'>"
        "<composing xmlns='http://jabber.org/protocol/chatstates'/></message>"
    )
    romeo.receives_nothing()
    juliet = comes_back(cast)
    juliet.receives("<presence/>")
    juliet.receives_nothing()


def test_an_encrypted_message_without_a_body_is_kept(cast):
    romeo = cast("romeo")
    cast.account("juliet")
    payload = "<encrypted xmlns='eu.siacs.conversations.axolotl'><payload>x</payload></encrypted>"
    romeo.sends(f"<message to='juliet@h' type='chat'>{payload}</message>")
    romeo.settle()
    comes_back(cast).receives("<presence/>", f"<message>{payload}{DELAY}</message>")


def test_a_forged_delay_of_ours_is_taken_off(cast):
    romeo = cast("romeo")
    cast.account("juliet")
    forged = "<delay xmlns='urn:xmpp:delay' from='h' stamp='1999-01-01T00:00:00Z'/>"
    romeo.sends(f"<message to='juliet@h' type='chat'><body>x</body>{forged}</message>")
    romeo.settle()
    message = comes_back(cast).receives("<presence/>", "<message/>")
    stamps = [one.get("stamp") for one in message.iter("{urn:xmpp:delay}delay")]
    assert len(stamps) == 1
    assert not stamps[0].startswith("1999")


@pytest.mark.parametrize("whose", ["h", "H", "h."])
def test_nobody_says_in_our_name_when_a_message_came(cast, whose):
    romeo, juliet = cast("romeo", "juliet")
    forged = f"<delay xmlns='urn:xmpp:delay' from='{whose}' stamp='1999-01-01T00:00:00Z'/>"
    theirs = "<delay xmlns='urn:xmpp:delay' from='romeo@h' stamp='1999-01-01T00:00:00Z'/>"
    romeo.sends(f"<message to='juliet@h' type='chat'><body>x</body>{forged}{theirs}</message>")
    message = juliet.receives("<message><body>x</body></message>")
    assert [one.get("from") for one in message.iter("{urn:xmpp:delay}delay")] == ["romeo@h"]


def test_messages_that_come_while_old_ones_are_handed_over_come_after_them(cast):
    romeo = cast("romeo")
    cast.account("juliet")
    romeo.sends(*[chat(f"old {n}") for n in range(50)])
    romeo.settle()
    juliet = cast.log_in("juliet")
    juliet.sends("<presence/>")
    romeo.sends(*[chat(f"new {n}") for n in range(50)])
    juliet.receives("<presence/>")
    bodies = [juliet.receives("<message/>").findtext("{jabber:client}body") for _ in range(100)]
    assert bodies == [f"old {n}" for n in range(50)] + [f"new {n}" for n in range(50)]


def test_a_message_with_a_broken_delay_stops_nothing(cast):
    romeo = cast("romeo")
    cast.account("juliet")
    romeo.sends(
        "<message to='juliet@h' type='chat'><body>x</body>"
        "<delay xmlns='urn:xmpp:delay' from='q'><a xmlns='http://['/></delay></message>",
        chat("and this"),
    )
    romeo.settle()
    juliet = comes_back(cast)
    juliet.receives("<presence/>", "<message><body>x</body></message>")
    juliet.receives("<message><body>and this</body></message>")


def test_an_unknown_type_is_kept_like_a_normal_message(cast):
    romeo = cast("romeo")
    cast.account("juliet")
    romeo.sends(chat("Hark!", type="nonsense"))
    romeo.receives_nothing()
    juliet = comes_back(cast)
    juliet.receives("<presence/>", "<message><body>Hark!</body></message>")


def test_a_thread_does_not_make_a_chat_state_worth_keeping(cast):
    romeo = cast("romeo")
    cast.account("juliet")
    states = "http://jabber.org/protocol/chatstates"
    romeo.sends(
        f"<message to='juliet@h' type='chat'><thread>t</thread><composing xmlns='{states}'/></message>"
    )
    romeo.receives_nothing()
    juliet = comes_back(cast)
    juliet.receives("<presence/>")
    juliet.receives_nothing()
