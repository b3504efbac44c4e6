"""Presence subscriptions: RFC 6121 §3 and appendix A."""

ROSTER = "jabber:iq:roster"


def interested(client):
    client.forget()
    client.sends(f"<iq type='get' id='r'><query xmlns='{ROSTER}'/></iq>")
    client.receives("<iq type='result' id='r'/>")


def push(item):
    return f"<iq type='set'><query xmlns='{ROSTER}'>{item}</query></iq>"


def pair(cast):
    romeo, juliet = cast("romeo/orchard", "juliet/balcony")
    interested(romeo)
    interested(juliet)
    return romeo, juliet


def subscription(client, jid):
    client.forget()
    client.sends(f"<iq type='get' id='r'><query xmlns='{ROSTER}'/></iq>")
    result = client.receives("<iq type='result' id='r'/>")
    items = [dict(item.attrib) for item in result[0] if item.get("jid") == jid]
    return items[0] if items else None


def test_the_whole_handshake(cast):
    romeo, juliet = pair(cast)
    romeo.sends("<presence type='subscribe' to='juliet@h' id='x1'/>")
    romeo.receives(push("<item jid='juliet@h' subscription='none' ask='subscribe'/>"))
    juliet.receives("<presence type='subscribe' from='romeo@h' to='juliet@h' id='x1'/>")
    juliet.sends("<presence type='subscribed' to='romeo@h'/>")
    juliet.receives(push("<item jid='romeo@h' subscription='from'/>"))
    romeo.receives(
        "<presence type='subscribed' from='juliet@h' to='romeo@h'/>",
        push("<item jid='juliet@h' subscription='to'/>"),
        "<presence from='juliet@h/balcony' to='romeo@h'/>",
    )
    juliet.sends("<presence><show>away</show></presence>")
    romeo.receives("<presence from='juliet@h/balcony'><show>away</show></presence>")
    romeo.sends("<presence><show>dnd</show></presence>")
    juliet.receives("<presence from='juliet@h/balcony'/>")
    juliet.receives_nothing()


def test_a_refused_request(cast):
    romeo, juliet = pair(cast)
    romeo.sends("<presence type='subscribe' to='juliet@h'/>")
    romeo.receives(push("<item jid='juliet@h' ask='subscribe'/>"))
    juliet.receives("<presence type='subscribe'/>")
    juliet.sends("<presence type='unsubscribed' to='romeo@h'/>")
    romeo.receives(
        "<presence type='unsubscribed' from='juliet@h'/>",
        push("<item jid='juliet@h' subscription='none'/>"),
    )
    assert "ask" not in subscription(romeo, "juliet@h")
    assert subscription(juliet, "romeo@h") is None


def test_a_request_waits_for_its_answer_over_sessions(cast):
    cast.account("juliet")
    romeo = cast("romeo")
    romeo.sends("<presence type='subscribe' to='juliet@h'><nick xmlns='n'>R</nick></presence>")
    romeo.settle()
    for _ in range(2):
        juliet = cast.log_in("juliet")
        juliet.sends("<presence/>")
        juliet.receives_any_order(
            "<presence from='juliet@h/somewhere'/>",
            "<presence type='subscribe' from='romeo@h'><nick xmlns='n'>R</nick></presence>",
        )
        juliet.leaves()
    juliet = cast("juliet")
    juliet.sends("<presence type='subscribed' to='romeo@h'/>")
    juliet.settle()
    juliet.leaves()
    juliet = cast.log_in("juliet")
    juliet.sends("<presence/>")
    juliet.receives("<presence from='juliet@h/somewhere'/>")
    juliet.receives_nothing()


def test_a_request_that_is_granted_already_is_answered_for_the_user(cast):
    romeo, juliet = pair(cast)
    cast.befriend(romeo, juliet)
    romeo.sends("<presence type='subscribe' to='juliet@h'/>")
    juliet.receives_nothing()
    assert subscription(romeo, "juliet@h")["subscription"] == "both"


def test_approval_beforehand(cast):
    romeo, juliet = pair(cast)
    juliet.sends("<presence type='subscribed' to='romeo@h'/>")
    juliet.receives(push("<item jid='romeo@h' subscription='none' approved='true'/>"))
    romeo.receives_nothing()
    romeo.sends("<presence type='subscribe' to='juliet@h'/>")
    romeo.receives(
        push("<item jid='juliet@h' ask='subscribe'/>"),
        "<presence type='subscribed' from='juliet@h'/>",
        push("<item jid='juliet@h' subscription='to'/>"),
        "<presence from='juliet@h/balcony'/>",
    )
    juliet.receives(push("<item jid='romeo@h' subscription='from'/>"))
    juliet.receives_nothing()


def test_an_approval_can_be_withdrawn(cast):
    romeo, juliet = pair(cast)
    juliet.sends("<presence type='subscribed' to='romeo@h'/>")
    juliet.receives(push("<item approved='true'/>"))
    juliet.sends("<presence type='unsubscribed' to='romeo@h'/>")
    item = juliet.receives(push("<item jid='romeo@h'/>"))[0][0]
    assert item.get("approved") is None
    romeo.sends("<presence type='subscribe' to='juliet@h'/>")
    juliet.receives("<presence type='subscribe'/>")


def test_unsubscribing(cast):
    romeo, juliet = pair(cast)
    cast.befriend(romeo, juliet)
    romeo.sends("<presence type='unsubscribe' to='juliet@h'/>")
    romeo.receives(
        push("<item jid='juliet@h' subscription='from'/>"),
        "<presence type='unavailable' from='juliet@h/balcony'/>",
    )
    juliet.receives_any_order(
        "<presence type='unsubscribe' from='romeo@h'/>",
        push("<item jid='romeo@h' subscription='to'/>"),
    )
    juliet.sends("<presence><show>xa</show></presence>")
    romeo.receives_nothing()


def test_withdrawing_a_grant(cast):
    romeo, juliet = pair(cast)
    cast.befriend(romeo, juliet)
    juliet.sends("<presence type='unsubscribed' to='romeo@h'/>")
    romeo.receives_any_order(
        "<presence type='unavailable' from='juliet@h/balcony'/>",
        "<presence type='unsubscribed' from='juliet@h'/>",
        push("<item jid='juliet@h' subscription='from'/>"),
    )
    assert subscription(juliet, "romeo@h")["subscription"] == "to"


def test_grants_that_nobody_asked_for_are_ignored(cast):
    romeo, juliet = pair(cast)
    romeo.sends("<presence type='unsubscribed' to='juliet@h'/>")
    romeo.sends("<presence type='unsubscribe' to='juliet@h'/>")
    juliet.receives_nothing()
    assert subscription(juliet, "romeo@h") is None


def test_two_who_ask_each_other_at_once(cast):
    romeo, juliet = pair(cast)
    for _ in range(10):
        romeo.sends("<presence type='subscribe' to='juliet@h'/>")
        juliet.sends("<presence type='subscribe' to='romeo@h'/>")
        romeo.sends("<presence type='subscribed' to='juliet@h'/>")
        juliet.sends("<presence type='subscribed' to='romeo@h'/>")
    for client in (romeo, juliet, romeo, juliet):
        client.forget()
    assert subscription(romeo, "juliet@h")["subscription"] == "both"
    assert subscription(juliet, "romeo@h")["subscription"] == "both"


def test_a_request_to_nobody_says_nothing(cast):
    romeo, _ = pair(cast)
    romeo.sends("<presence type='subscribe' to='nobody@h'/>")
    romeo.receives(push("<item jid='nobody@h' ask='subscribe'/>"))
    romeo.receives_nothing()


def test_a_request_comes_from_the_account_and_goes_to_the_account(cast):
    romeo, juliet = pair(cast)
    romeo.sends("<presence type='subscribe' from='romeo@h/orchard' to='juliet@h/balcony'/>")
    juliet.receives("<presence type='subscribe' from='romeo@h' to='juliet@h'/>")


def test_a_request_that_waits_is_not_shown_again(cast):
    romeo, juliet = pair(cast)
    for _ in range(2):
        romeo.sends("<presence type='subscribe' to='juliet@h'/>")
    juliet.receives("<presence type='subscribe'/>")
    romeo.forget()
    romeo.leaves()
    cast("romeo")
    juliet.receives_nothing()


def test_a_full_roster_loses_no_request(cast):
    romeo, juliet = pair(cast)
    romeo.sends("<presence type='subscribe' to='juliet@h'/>")
    juliet.receives("<presence type='subscribe'/>")
    romeo.forget()
    juliet.sends("<presence type='subscribed' to='romeo@h'/>")
    romeo.receives_any_order(
        "<presence type='subscribed' from='juliet@h'/>",
        push("<item jid='juliet@h' subscription='to'/>"),
        "<presence from='juliet@h/balcony'/>",
    )


def test_whoever_gets_a_deleted_name_inherits_nobodys_trust(cast):
    romeo, juliet = pair(cast)
    cast.befriend(romeo, juliet)
    romeo.leaves()
    juliet.forget()
    cast.world.add_account("romeo")  # deletes the old one
    juliet.receives(push("<item jid='romeo@h' subscription='none'/>"))
    stranger = cast("romeo")
    juliet.sends("<presence><status>at home</status></presence>")
    juliet.settle()
    stranger.receives_nothing()
    assert subscription(juliet, "romeo@h")["subscription"] == "none"


def test_unavailable_reaches_contacts_whatever_its_status_is(cast):
    romeo, juliet = pair(cast)
    cast.befriend(romeo, juliet)
    juliet.sends("<presence type='unavailable'><status><x xmlns='http://['/></status></presence>")
    romeo.receives("<presence type='unavailable' from='juliet@h/balcony'/>")
    juliet.receives("<presence type='unavailable' from='juliet@h/balcony'/>")


def test_a_request_needs_an_address(cast):
    romeo, _ = pair(cast)
    romeo.sends("<presence type='subscribe' id='p'/>")
    romeo.receives("<presence type='error' id='p'/>")
    romeo.sends("<presence type='subscribe' to='romeo@h' id='q'/>")
    romeo.receives("<presence type='error' id='q'/>")
