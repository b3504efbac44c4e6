"""Private XML (XEP-0049)."""

from support.pep import refused

NOTES = "<notes xmlns='urn:notes' a='1'><note>Buy &lt;poison&gt;</note></notes>"


def query(type, content, to=None, id="1"):
    address = f" to='{to}'" if to else ""
    return f"<iq type='{type}' id='{id}'{address}><query xmlns='jabber:iq:private'>{content}</query></iq>"


def says(client, stanza, answer):
    client.sends(stanza)
    return client.receives(answer)


def test_what_is_kept_is_given_back(cast):
    juliet = cast("juliet")
    says(juliet, query("set", NOTES), "<iq type='result' id='1'/>")
    says(juliet, query("get", "<notes xmlns='urn:notes'/>"), query("result", NOTES))
    says(juliet, query("set", "<notes xmlns='urn:notes'/>"), "<iq type='result' id='1'/>")
    answer = says(
        juliet,
        query("get", "<notes xmlns='urn:notes'/>"),
        query("result", "<notes xmlns='urn:notes'/>"),
    )
    assert len(answer[0][0]) == 0


def test_nothing_is_kept_yet(cast):
    juliet = cast("juliet")
    says(
        juliet,
        query("get", "<other xmlns='urn:other'/>"),
        query("result", "<other xmlns='urn:other'/>"),
    )


def test_it_is_for_its_owner_alone(cast):
    juliet, romeo = cast("juliet", "romeo")
    says(juliet, query("set", NOTES), "<iq type='result' id='1'/>")
    for type in ("get", "set"):
        says(romeo, query(type, "<notes xmlns='urn:notes'/>", juliet.bare), refused("forbidden"))
    says(juliet, query("get", "<notes xmlns='urn:notes'/>"), query("result", NOTES))


def test_bad_requests(cast):
    juliet = cast("juliet")
    says(juliet, query("get", ""), refused("bad-request"))
    says(juliet, query("set", ""), refused("not-acceptable"))
    says(juliet, query("set", "<notes/>"), refused("not-acceptable"))
    says(juliet, query("set", "<notes xmlns='jabber:iq:private'/>"), refused("not-acceptable"))
    says(juliet, query("get", "<a xmlns='urn:a'/><b xmlns='urn:b'/>"), refused("not-acceptable"))


def test_there_is_an_end_to_it(cast):
    juliet = cast("juliet")
    text = "x" * 200_000
    for number in range(5):
        says(
            juliet,
            query("set", f"<n{number} xmlns='urn:n'>{text}</n{number}>"),
            "<iq type='result' id='1'/>",
        )
    says(juliet, query("set", f"<n6 xmlns='urn:n'>{text}</n6>"), refused("resource-constraint"))
    answer = says(
        juliet, query("get", "<n6 xmlns='urn:n'/>"), query("result", "<n6 xmlns='urn:n'/>")
    )
    assert not answer[0][0].text
