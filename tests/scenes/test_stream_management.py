"""Stream management (XEP-0198): acknowledgements, resumption, and what becomes of the rest."""

import time
from datetime import datetime

import pytest

from support.archive import page
from support.sasl2_client import bind2, log_in, succeeded, user_agent
from support.scram_client import ScramClient
from support.worlds import PASSWORD

SM = "urn:xmpp:sm:3"
ERRORS = "urn:ietf:params:xml:ns:xmpp-stanzas"


def message(to, text, type="chat"):
    return f"<message to='{to}' type='{type}' id='{text}'><body>{text}</body></message>"


def enable(client, attributes=" resume='true'"):
    client.send(f"<enable xmlns='{SM}'{attributes}/>")
    answer = client.next()
    assert answer.tag == f"{{{SM}}}enabled"
    return answer


def handled(client):
    """What the server says it has handled; everything else that comes is kept."""
    client.send(f"<r xmlns='{SM}'/>")
    kept = []
    while True:
        element = client.next()
        assert element is not None, "no <a/> came"
        if element.tag == f"{{{SM}}}a":
            client.unread(kept)
            return int(element.get("h"))
        kept.append(element)


def stanzas(client, count):
    """The next stanzas, whatever else stands between them."""
    found = []
    while len(found) < count:
        element = client.next()
        assert element is not None, f"only {len(found)} came"
        if not element.tag.startswith(f"{{{SM}}}"):
            found.append(element)
    return found


def messages(client, count):
    """The next messages, whatever else stands between them."""
    found = []
    while len(found) < count:
        found += [one for one in stanzas(client, 1) if one.tag == "{jabber:client}message"]
    return found


def bodies(elements):
    return [element.findtext("{jabber:client}body") for element in elements]


def nothing_more(client):
    rest = [e for e in client.came() if not e.tag.startswith(f"{{{SM}}}")]
    assert not rest, rest


def gone(client):
    """The connection breaks, and the server notices."""
    client.wire.cut()
    time.sleep(0.1)


def logged_in(cast, local="romeo"):
    """A stream that has no resource yet, and its features."""
    cast.account(local)
    client = cast.world.client()
    cast.clients.append(client)
    client.secure()
    client.authenticate(ScramClient(local, PASSWORD, "SCRAM-SHA-256"), "SCRAM-SHA-256")
    return client, client.open()


class Returning:
    """Comes back over another stream."""

    def __init__(self, cast, local, previd, h):
        self.client, self.features = logged_in(cast, local)
        self.client.send(f"<resume xmlns='{SM}' previd='{previd}' h='{h}'/>")
        self.answer = self.client.next()


@pytest.fixture
def back(cast):
    def come(local, previd, h):
        return Returning(cast, local, previd, h)

    return come


def test_it_is_offered_after_the_login(cast):
    stranger = cast.world.client()
    cast.clients.append(stranger)
    assert stranger.secure().find(f"{{{SM}}}sm") is None
    _, features = logged_in(cast)
    assert features.find(f"{{{SM}}}sm") is not None


def test_stanzas_are_counted(cast):
    romeo = cast("romeo", available=False)
    enabled = enable(romeo, "")
    assert enabled.get("id") is None
    assert enabled.get("resume") is None
    assert handled(romeo) == 0
    romeo.sends("<presence/>", message("juliet@h", "1"), "<iq type='get' id='1' to='h'/>")
    assert handled(romeo) == 3


def test_a_refused_stanza_counts_too(cast):
    romeo = cast("romeo", available=False)
    enable(romeo)
    romeo.sends(message("a@b@c", "1"), "<iq type='nonsense' id='2' to='h'/>")
    assert handled(romeo) == 2


def test_every_question_gets_its_answer(cast):
    romeo = cast("romeo", available=False)
    enable(romeo)
    cast.account("juliet")
    for number in range(5):
        romeo.send(message("juliet@h", str(number)) + f"<r xmlns='{SM}'/>")
    answers = [romeo.next() for _ in range(5)]
    assert [one.tag for one in answers] == [f"{{{SM}}}a"] * 5
    assert answers[-1].get("h") == "5"


def test_the_server_asks_for_messages(cast):
    romeo, juliet = cast("romeo", "juliet")
    enable(juliet)
    romeo.sends(message("juliet@h", "hello"))
    juliet.receives("<message><body>hello</body></message>", f"<r xmlns='{SM}'/>")


def test_the_server_asks_once_until_it_is_answered(cast):
    romeo, juliet = cast("romeo", "juliet")
    enable(juliet)
    for text in ("1", "2", "3"):
        romeo.sends(message("juliet@h", text))
    juliet.receives(
        "<message><body>1</body></message>",
        f"<r xmlns='{SM}'/>",
        "<message><body>2</body></message>",
        "<message><body>3</body></message>",
    )
    juliet.send(f"<a xmlns='{SM}' h='1'/>")
    juliet.receives(f"<r xmlns='{SM}'/>")
    juliet.send(f"<a xmlns='{SM}' h='3'/>")
    juliet.receives_nothing()


def test_enabling_twice_ends_the_stream(cast):
    romeo = cast("romeo", available=False)
    enable(romeo)
    romeo.send(f"<enable xmlns='{SM}'/>")
    romeo.is_ended_with("policy-violation")


@pytest.mark.parametrize("element", ["enable", "resume"])
def test_not_before_the_login(cast, element):
    client = cast.world.client()
    cast.clients.append(client)
    client.secure()
    client.send(f"<{element} xmlns='{SM}' previd='x' h='0'/>")
    client.receives(f"<failed xmlns='{SM}'><unexpected-request xmlns='{ERRORS}'/></failed>")


def test_not_before_a_resource_is_bound(cast):
    client, _ = logged_in(cast)
    client.send(f"<enable xmlns='{SM}'/>")
    client.receives(f"<failed xmlns='{SM}'><unexpected-request xmlns='{ERRORS}'/></failed>")
    client.bind("somewhere")
    enable(client)


@pytest.mark.parametrize("element", ["<r xmlns='{}'/>", "<a xmlns='{}' h='0'/>"])
def test_without_enabling_there_is_nothing_to_count(cast, element):
    romeo = cast("romeo", available=False)
    romeo.send(element.format(SM))
    romeo.receives(f"<failed xmlns='{SM}'><unexpected-request xmlns='{ERRORS}'/></failed>")
    romeo.settle()


def test_acknowledging_too_much_ends_the_stream(cast):
    romeo = cast("romeo", available=False)
    enable(romeo)
    romeo.sends("<iq type='get' id='1' to='h'><ping xmlns='urn:xmpp:ping'/></iq>")
    romeo.receives("<iq type='result' id='1'/>")
    romeo.send(f"<a xmlns='{SM}' h='5'/>")
    error = romeo.next()
    detail = error.find(f"{{{SM}}}handled-count-too-high")
    assert (detail.get("h"), detail.get("send-count")) == ("5", "1")
    assert error[0].tag.endswith("}undefined-condition")
    romeo.is_closed()


@pytest.mark.parametrize("h", ["", "-1", "x", "4294967296", "1.5", "٣"])
def test_a_count_is_a_number(cast, h):
    romeo = cast("romeo", available=False)
    enable(romeo)
    romeo.send(f"<a xmlns='{SM}' h='{h}'/>")
    romeo.is_ended_with("policy-violation")


def test_the_client_may_want_a_shorter_time(cast):
    romeo = cast("romeo", available=False)
    assert enable(romeo, " resume='1' max='30'").get("max") == "30"


def test_nobody_waits_longer_than_the_setting(cast):
    romeo = cast("romeo", available=False)
    assert enable(romeo, " resume='true' max='999999'").get("max") == "600"


# -- resumption --------------------------------------------------------------------------------


def test_a_session_is_resumed(cast, back):
    romeo, juliet = cast("romeo", "juliet")
    cast.befriend(romeo, juliet)
    enabled = enable(romeo)
    gone(romeo)
    juliet.receives_nothing()  # nobody sees that he is away
    juliet.sends(message(romeo.jid, "1"), message("romeo@h", "2"))
    juliet.settle()
    again = back("romeo", enabled.get("id"), 0)
    assert again.answer.tag == f"{{{SM}}}resumed"
    assert again.answer.get("previd") == enabled.get("id")
    assert again.answer.get("h") == "0"
    again.client.jid = romeo.jid
    assert bodies(stanzas(again.client, 2)) == ["1", "2"]
    again.client.send(f"<a xmlns='{SM}' h='2'/>")
    again.client.sends(message(juliet.jid, "3"))
    juliet.receives(f"<message from='{romeo.jid}'><body>3</body></message>")
    assert handled(again.client) == 1
    nothing_more(again.client)


def test_what_waited_for_a_session_says_when_it_came(own_cast, monkeypatch):
    """Nothing else tells the client that it is not of now (XEP-0203); what came just now is."""
    cast = own_cast()
    romeo, juliet = cast("romeo", "juliet")
    enabled = enable(romeo)
    gone(romeo)
    old = "<delay xmlns='urn:xmpp:delay' from='verona.lit' stamp='2002-09-10T23:08:25Z'/>"
    older = f"<message to='{romeo.jid}'><body>older</body>{old}</message>"
    juliet.sends(message(romeo.jid, "waited"), older)
    juliet.settle()
    monkeypatch.setattr(cast.world.host, "clock", lambda: time.time() + 60)
    again = Returning(cast, "romeo", enabled.get("id"), 0)
    delays = [one.findall("{urn:xmpp:delay}delay") for one in messages(again.client, 2)]
    assert [[one.get("from") for one in some] for some in delays] == [["h"], ["verona.lit"]]
    came = datetime.fromisoformat(delays[0][0].get("stamp")).timestamp()
    assert came <= time.time()


def test_nothing_is_lost_at_the_moment_of_the_break(cast, back):
    romeo, juliet = cast("romeo", "juliet")
    enabled = enable(romeo)
    for number in range(30):
        juliet.sends(message(romeo.jid, str(number)))
        if number == 15:
            romeo.wire.cut()
    juliet.settle()
    again = back("romeo", enabled.get("id"), 0)
    assert bodies(stanzas(again.client, 30)) == [str(number) for number in range(30)]
    nothing_more(again.client)


def test_only_what_did_not_arrive_is_sent_again(cast, back):
    romeo, juliet = cast("romeo", "juliet")
    enabled = enable(romeo)
    juliet.sends(message(romeo.jid, "1"), message(romeo.jid, "2"))
    assert bodies(stanzas(romeo, 2)) == ["1", "2"]
    gone(romeo)
    juliet.sends(message(romeo.jid, "3"))
    juliet.settle()
    again = back("romeo", enabled.get("id"), 1)
    assert bodies(stanzas(again.client, 2)) == ["2", "3"]


def test_a_stream_that_is_still_there_is_ended(cast, back):
    romeo, juliet = cast("romeo", "juliet")
    cast.befriend(romeo, juliet)
    enabled = enable(romeo)
    again = back("romeo", enabled.get("id"), 0)
    assert again.answer.tag == f"{{{SM}}}resumed"
    romeo.is_ended_with("conflict")
    juliet.sends(message("romeo@h", "1"))
    assert bodies(stanzas(again.client, 1)) == ["1"]
    juliet.receives_nothing()


def test_it_can_be_resumed_again_and_again(cast, back):
    romeo, juliet = cast("romeo", "juliet")
    enabled = enable(romeo)
    for number in range(1, 6):
        juliet.sends(message("romeo@h", str(number)))
        juliet.settle()
        romeo.wire.cut()
        romeo = back("romeo", enabled.get("id"), number - 1).client
        assert bodies(stanzas(romeo, 1)) == [str(number)]
        romeo.send(f"<a xmlns='{SM}' h='{number}'/>")


def test_what_the_client_sent_is_counted_over_all_streams(cast, back):
    romeo, juliet = cast("romeo", "juliet")
    enabled = enable(romeo)
    romeo.sends(message(juliet.jid, "1"), message(juliet.jid, "2"))
    assert handled(romeo) == 2
    gone(romeo)
    again = back("romeo", enabled.get("id"), 0)
    assert again.answer.get("h") == "2"
    again.client.sends(message(juliet.jid, "3"))
    assert handled(again.client) == 3


def test_answers_to_requests_arrive_after_resumption(cast, back):
    romeo = cast("romeo", available=False)
    enabled = enable(romeo)
    romeo.send("<iq type='get' id='r' ><query xmlns='jabber:iq:roster'/></iq>")
    gone(romeo)
    again = back("romeo", enabled.get("id"), 0)
    assert again.answer.get("h") == "1"
    again.client.receives("<iq type='result' id='r'><query xmlns='jabber:iq:roster'/></iq>")


def not_found(answer):
    return answer.tag == f"{{{SM}}}failed" and answer[0].tag == f"{{{ERRORS}}}item-not-found"


def test_nobody_resumes_an_unknown_session(cast, back):
    cast.account("romeo")
    again = back("romeo", "no-such-session", 0)
    assert not_found(again.answer)
    assert again.answer.get("h") is None
    again.client.bind("somewhere")  # the stream goes on
    again.client.settle()


def test_nobody_resumes_the_session_of_another(cast, back):
    romeo, juliet = cast("romeo", "juliet")
    enabled = enable(romeo)
    gone(romeo)
    assert not_found(back("juliet", enabled.get("id"), 0).answer)
    juliet.sends(message(romeo.jid, "still his"))
    juliet.settle()
    assert bodies(stanzas(back("romeo", enabled.get("id"), 0).client, 1)) == ["still his"]


@pytest.mark.parametrize("attributes", ["h='0'", "previd='x'", "previd='x' h='many'"])
def test_resuming_needs_an_id_and_a_count(cast, attributes):
    client, _ = logged_in(cast)
    client.send(f"<resume xmlns='{SM}' {attributes}/>")
    client.receives(f"<failed xmlns='{SM}'><bad-request xmlns='{ERRORS}'/></failed>")


def test_resuming_with_too_high_a_count_changes_nothing(cast, back):
    romeo, juliet = cast("romeo", "juliet")
    enabled = enable(romeo)
    juliet.sends(message(romeo.jid, "1"))
    juliet.settle()
    gone(romeo)
    again = back("romeo", enabled.get("id"), 7)
    assert again.answer.tag.endswith("}error")
    assert again.answer.find(f"{{{SM}}}handled-count-too-high") is not None
    assert bodies(stanzas(back("romeo", enabled.get("id"), 0).client, 1)) == ["1"]


def test_resuming_within_a_session_is_refused(cast):
    romeo = cast("romeo", available=False)
    enabled = enable(romeo)
    romeo.send(f"<resume xmlns='{SM}' previd='{enabled.get('id')}' h='0'/>")
    romeo.receives(f"<failed xmlns='{SM}'><unexpected-request xmlns='{ERRORS}'/></failed>")
    romeo.settle()


def test_after_a_goodbye_there_is_nothing_to_resume(cast, back):
    romeo, juliet = cast("romeo", "juliet")
    cast.befriend(romeo, juliet)
    enabled = enable(romeo)
    romeo.sends(message(juliet.jid, "bye"))
    juliet.receives("<message><body>bye</body></message>")
    romeo.leaves()
    juliet.receives(f"<presence type='unavailable' from='{romeo.jid}'/>")
    again = back("romeo", enabled.get("id"), 0)
    assert not_found(again.answer)
    assert again.answer.get("h") == "1"  # what it had sent is known all the same


def test_without_resume_a_broken_connection_is_the_end(cast):
    romeo, juliet = cast("romeo", "juliet")
    cast.befriend(romeo, juliet)
    enable(romeo, "")
    gone(romeo)
    juliet.receives(f"<presence type='unavailable' from='{romeo.jid}'/>")


def test_a_new_client_with_the_same_resource_ends_it(cast, back):
    romeo, juliet = cast("romeo/phone", "juliet")
    enabled = enable(romeo)
    gone(romeo)
    juliet.sends(message(romeo.jid, "for the phone"))
    juliet.settle()
    anew = cast.log_in("romeo/phone")
    assert not_found(back("romeo", enabled.get("id"), 0).answer)
    anew.sends("<presence/>")
    anew.receives(
        "<presence/>",
        "<message><body>for the phone</body><delay xmlns='urn:xmpp:delay'/></message>",
    )
    anew.receives_nothing()


# -- what never arrived ------------------------------------------------------------------------


def test_what_was_not_acknowledged_waits_for_the_next_login(cast):
    romeo, juliet = cast("romeo", "juliet")
    enable(romeo, "")
    juliet.sends(message(romeo.jid, "1"), message("romeo@h", "2"), message("romeo@h", "3"))
    assert bodies(stanzas(romeo, 3)) == ["1", "2", "3"]
    romeo.send(f"<a xmlns='{SM}' h='1'/>")
    romeo.settle()
    gone(romeo)
    romeo = cast.log_in("romeo")
    romeo.sends("<presence/>")
    romeo.receives("<presence/>")
    for text in ("2", "3"):
        romeo.receives(
            f"<message><body>{text}</body><delay xmlns='urn:xmpp:delay' from='h'/></message>"
        )
    romeo.receives_nothing()


def test_it_goes_to_another_client_that_has_not_seen_it(cast):
    phone, desk, juliet = cast("romeo/phone", "romeo/desk", "juliet")
    enable(phone, "")
    juliet.sends(message(phone.jid, "only there"), message("romeo@h", "both"))
    desk.receives("<message><body>both</body></message>")
    juliet.settle()
    gone(phone)
    desk.receives("<presence type='unavailable'/>")
    desk.receives(
        "<message><body>only there</body><delay xmlns='urn:xmpp:delay' from='h'/></message>"
    )
    desk.receives_nothing()
    juliet.receives_nothing()


@pytest.mark.parametrize(
    ("acknowledged", "inside", "given"),
    [
        (True, "", []),
        (False, "", ["precious"]),  # nobody knows whether it arrived
        (True, "<no-permanent-store xmlns='urn:xmpp:hints'/>", ["precious"]),
    ],
    ids=["read", "not acknowledged", "in no archive"],
)
def test_what_another_client_had_live_is_not_given_again(cast, acknowledged, inside, given):
    """Its archive has it for whoever missed it; what is in none comes to whoever comes next."""
    phone, desk, juliet = cast("romeo/phone", "romeo/desk", "juliet")
    for client in (phone, desk):
        enable(client)
    gone(phone)
    juliet.sends(
        f"<message to='romeo@h' type='chat'><body>precious</body>{inside}</message>",
    )
    assert bodies(messages(desk, 1)) == ["precious"]
    juliet.settle()
    if acknowledged:
        desk.send(f"<a xmlns='{SM}' h='1'/>")
    desk.settle()
    desk.send("</stream:stream>")
    while not desk.ended:
        desk.next()
    anew = cast.log_in("romeo/phone")
    anew.sends("<presence/>")
    anew.settle()
    came = [one for one in anew.came() if one.tag == "{jabber:client}message"]
    assert bodies(came) == given
    assert page(anew).bodies == ([] if inside else ["precious"])


def test_a_request_that_never_arrived_is_refused(cast):
    romeo, juliet = cast("romeo", "juliet")
    enable(romeo, "")
    juliet.sends(f"<iq type='get' id='q' to='{romeo.jid}'><ping xmlns='urn:xmpp:ping'/></iq>")
    romeo.receives("<iq type='get' id='q'/>")
    gone(romeo)
    juliet.receives(
        f"<iq type='error' id='q' from='{romeo.jid}'><error><service-unavailable xmlns='{ERRORS}'/></error></iq>"
    )


def test_what_is_fleeting_is_dropped(cast):
    romeo, juliet = cast("romeo", "juliet")
    enable(romeo, "")
    juliet.sends(message(romeo.jid, "news", type="headline"))
    romeo.receives("<message type='headline'/>")
    gone(romeo)
    juliet.receives_nothing()
    romeo = cast.log_in("romeo")
    romeo.sends("<presence/>")
    romeo.receives("<presence/>")
    romeo.receives_nothing()


# -- with the login of today -------------------------------------------------------------------


def sasl2(cast, *extras, local="romeo"):
    client = cast.world.client()
    cast.clients.append(client)
    client.features = client.secure()
    answer = log_in(client, user_agent(), *extras, user=local)
    return client, answer


def test_it_is_enabled_as_part_of_binding(cast):
    cast.account("romeo")
    romeo, success = sasl2(cast, bind2(inside=f"<enable xmlns='{SM}' resume='true'/>"))
    inline = romeo.features.find("{urn:xmpp:sasl:2}authentication/{urn:xmpp:sasl:2}inline")
    assert inline.find(f"{{{SM}}}sm") is not None
    enabled = success.find(f"{{urn:xmpp:bind:0}}bound/{{{SM}}}enabled")
    assert enabled.get("resume") == "true"
    features = romeo.next()
    assert features.find(f"{{{SM}}}sm") is None  # there is nothing more to enable
    assert handled(romeo) == 0


def test_it_is_resumed_as_part_of_the_login(cast):
    cast.account("romeo")
    juliet = cast("juliet")
    romeo, success = sasl2(cast, bind2(inside=f"<enable xmlns='{SM}' resume='true'/>"))
    enabled = success.find(f"{{urn:xmpp:bind:0}}bound/{{{SM}}}enabled")
    jid = romeo.jid
    gone(romeo)
    juliet.sends(message(jid, "1"))
    juliet.settle()
    romeo, success = sasl2(
        cast, f"<resume xmlns='{SM}' previd='{enabled.get('id')}' h='0'/>", bind2()
    )
    assert succeeded(success)
    assert success.find(f"{{{SM}}}resumed").get("h") == "0"
    assert success.find("{urn:xmpp:bind:0}bound") is None
    assert romeo.jid == jid
    romeo.receives("<message><body>1</body></message>")  # and no features


def test_if_it_cannot_be_resumed_a_resource_is_bound(cast):
    cast.account("romeo")
    romeo, success = sasl2(cast, f"<resume xmlns='{SM}' previd='nobody' h='0'/>", bind2())
    assert not_found(success.find(f"{{{SM}}}failed"))
    assert success.find("{urn:xmpp:bind:0}bound") is not None
    romeo.next()
    romeo.settle()


# -- messages of before ------------------------------------------------------------------------


def kept_for_romeo(cast, *texts):
    cast.account("romeo")
    juliet = cast("juliet")
    juliet.sends(*(message("romeo@h", text) for text in texts))
    juliet.settle()
    return juliet


def available(client):
    client.sends("<presence/>")
    client.receives("<presence/>")


def test_kept_messages_are_handed_over_until_they_are_acknowledged(cast):
    kept_for_romeo(cast, "1", "2")
    romeo = cast.log_in("romeo")
    enable(romeo, "")
    available(romeo)
    assert bodies(stanzas(romeo, 2)) == ["1", "2"]
    gone(romeo)
    romeo = cast.log_in("romeo")
    enable(romeo, "")
    available(romeo)
    assert bodies(stanzas(romeo, 2)) == ["1", "2"]
    romeo.send(f"<a xmlns='{SM}' h='3'/>")
    romeo.settle()
    nothing_more(romeo)
    gone(romeo)
    romeo = cast.log_in("romeo")
    available(romeo)
    romeo.receives_nothing()


def test_kept_messages_come_once_to_a_session_that_is_resumed(cast, back):
    kept_for_romeo(cast, "1")
    romeo = cast.log_in("romeo")
    enabled = enable(romeo)
    available(romeo)
    assert bodies(stanzas(romeo, 1)) == ["1"]
    gone(romeo)
    again = back("romeo", enabled.get("id"), 1).client
    assert bodies(stanzas(again, 1)) == ["1"]
    again.send(f"<a xmlns='{SM}' h='2'/>")
    again.send("</stream:stream>")
    again.is_closed()
    romeo = cast.log_in("romeo")
    available(romeo)
    romeo.receives_nothing()


def test_new_messages_wait_for_kept_ones_to_be_acknowledged(cast):
    juliet = kept_for_romeo(cast, "old")
    romeo = cast.log_in("romeo")
    enable(romeo)
    available(romeo)
    assert bodies(stanzas(romeo, 1)) == ["old"]
    juliet.sends(message("romeo@h", "new"))
    juliet.settle()
    romeo.send(f"<a xmlns='{SM}' h='2'/>")
    assert bodies(stanzas(romeo, 1)) == ["new"]


def test_another_client_gets_what_the_first_did_not_take(cast):
    kept_for_romeo(cast, "1")
    phone = cast.log_in("romeo/phone")
    enable(phone, "")
    available(phone)
    assert bodies(stanzas(phone, 1)) == ["1"]
    desk = cast.log_in("romeo/desk")
    desk.sends("<presence/>")
    desk.settle()
    desk.forget()
    gone(phone)
    desk.receives("<presence type='unavailable'/>", "<message><body>1</body></message>")
    desk.receives_nothing()


# -- others of the same account ----------------------------------------------------------------


@pytest.fixture
def asleep(cast):
    """romeo's phone has lost its connection, and a message waits for it."""
    phone, juliet = cast("romeo/phone", "juliet")
    enable(phone)
    gone(phone)

    def say(to, inner="<body>precious</body>"):
        juliet.sends(f"<message to='{to}' type='chat'>{inner}</message>")
        juliet.settle()

    return phone, juliet, say


LATE = "<message><body>precious</body><delay xmlns='urn:xmpp:delay' from='h'/></message>"


def test_who_came_later_gets_what_the_lost_client_did_not(cast, asleep):
    _, _, say = asleep
    say("romeo@h")
    desk = cast("romeo/desk")
    cast.log_in("romeo/phone")  # anew: its old session ends
    desk.receives("<presence type='unavailable'/>", LATE)
    desk.receives_nothing()


def test_copies_that_nobody_had_are_no_reason_to_lose_it(cast, asleep):
    phone, _, say = asleep
    say(phone.jid)
    desk = cast("romeo/desk")
    desk.sends("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
    desk.receives("<iq type='result' id='c'/>")
    cast.log_in("romeo/phone")
    desk.receives("<presence type='unavailable'/>", LATE)


def test_who_had_a_copy_does_not_get_it_again(cast, asleep):
    phone, _, say = asleep
    desk = cast("romeo/desk")
    desk.sends("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
    desk.receives("<iq type='result' id='c'/>")
    say(phone.jid)
    desk.receives("<message><received xmlns='urn:xmpp:carbons:2'/></message>")
    cast.log_in("romeo/phone")
    desk.receives("<presence type='unavailable'/>")
    desk.receives_nothing()


def test_a_private_message_is_not_lost_either(cast, asleep):
    phone, _, say = asleep
    desk = cast("romeo/desk")
    desk.sends("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
    desk.receives("<iq type='result' id='c'/>")
    say(phone.jid, "<body>precious</body><private xmlns='urn:xmpp:carbons:2'/>")
    cast.log_in("romeo/phone")
    desk.receives("<presence type='unavailable'/>", LATE)


def test_a_lost_client_does_not_hold_up_the_others(cast):
    juliet = kept_for_romeo(cast, "kept")
    phone = cast.log_in("romeo/phone")
    enable(phone)
    available(phone)
    assert bodies(stanzas(phone, 1)) == ["kept"]
    gone(phone)
    desk = cast.log_in("romeo/desk")
    desk.sends("<presence/>")
    desk.settle()
    juliet.sends(message("romeo@h/desk", "now"))
    assert bodies(messages(desk, 2)) == ["kept", "now"]


def test_what_waits_is_not_dropped_when_it_becomes_available_again(cast):
    juliet = kept_for_romeo(cast, "kept")
    romeo = cast.log_in("romeo")
    enable(romeo)
    available(romeo)
    assert bodies(stanzas(romeo, 1)) == ["kept"]
    juliet.sends(message("romeo@h/somewhere", "new"))
    juliet.settle()
    romeo.sends("<presence><priority>-1</priority></presence>", "<presence/>")
    assert [one.tag for one in stanzas(romeo, 2)] == ["{jabber:client}presence"] * 2
    romeo.send(f"<a xmlns='{SM}' h='4'/>")
    assert bodies(stanzas(romeo, 1)) == ["new"]


def test_a_request_of_the_own_other_client_is_answered_too(cast):
    phone, desk = cast("romeo/phone", "romeo/desk")
    enable(phone, "")
    desk.sends(f"<iq type='get' id='q' to='{phone.jid}'><ping xmlns='urn:xmpp:ping'/></iq>")
    phone.receives("<iq type='get' id='q'/>")
    gone(phone)
    desk.receives("<presence type='unavailable'/>", f"<iq type='error' id='q' from='{phone.jid}'/>")


def test_enabling_twice_while_binding_counts_once(cast):
    cast.account("romeo")
    one = f"<enable xmlns='{SM}' resume='true'/>"
    romeo, success = sasl2(cast, bind2(inside=one + one))
    assert len(success.findall(f"{{urn:xmpp:bind:0}}bound/{{{SM}}}enabled")) == 1
    romeo.next()
    assert handled(romeo) == 0


def test_whoever_answers_with_less_is_asked_again(cast):
    romeo, juliet = cast("romeo", "juliet")
    enable(romeo)
    juliet.sends(message("romeo@h", "1"))
    romeo.receives("<message/>", f"<r xmlns='{SM}'/>")
    romeo.send(f"<a xmlns='{SM}' h='0'/><r xmlns='{SM}'/>")
    romeo.receives(f"<a xmlns='{SM}'/>")  # so this was read
    juliet.sends(message("romeo@h", "2"))
    romeo.receives("<message><body>2</body></message>", f"<r xmlns='{SM}'/>")


def test_nothing_of_a_deleted_account_reaches_the_next_of_that_name(cast):
    romeo, juliet = cast("romeo", "juliet")
    enable(romeo)
    juliet.sends(message("romeo@h", "for the old one"))
    assert bodies(stanzas(romeo, 1)) == ["for the old one"]
    gone(romeo)
    cast.world.add_account("romeo")
    juliet.receives("<message type='error'/>")
    romeo = cast.log_in("romeo")
    available(romeo)
    romeo.receives_nothing()
