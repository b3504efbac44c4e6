"""What people want to have archived: XEP-0441."""

import pytest

from support.archive import MAM, page


def prefs(default="always", always=(), never=()):
    lists = "".join(
        f"<{name}>{''.join(f'<jid>{jid}</jid>' for jid in jids)}</{name}>"
        for name, jids in (("always", always), ("never", never))
    )
    return f"<prefs xmlns='{MAM}' default='{default}'>{lists}</prefs>"


def choose(client, *arguments, **named):
    """What the server says it applies is what was asked for."""
    wanted = prefs(*arguments, **named)
    client.sends(f"<iq type='set' id='p'>{wanted}</iq>")
    client.receives(f"<iq type='result' id='p'>{wanted}</iq>")


def shown(client):
    client.sends(f"<iq type='get' id='g'><prefs xmlns='{MAM}'/></iq>")
    answer = client.receives(f"<iq type='result' id='g'><prefs xmlns='{MAM}'/></iq>")[0]
    lists = [[jid.text for jid in answer.find(f"{{{MAM}}}{name}")] for name in ("always", "never")]
    return answer.get("default"), *lists


def says(one, body, to):
    one.sends(f"<message to='{to}' type='chat'><body>{body}</body></message>")
    one.settle()


@pytest.fixture
def romeo(cast):
    return cast("romeo/orchard")


@pytest.fixture
def juliet(cast):
    return cast("juliet/balcony")


def test_everything_is_kept_by_default(romeo):
    assert shown(romeo) == ("always", [], [])


def test_they_come_back_as_they_were(cast, romeo):
    choose(romeo, "roster", ["nurse@h", "a@q/b"], ["paris@h"])
    assert shown(romeo) == ("roster", ["nurse@h", "a@q/b"], ["paris@h"])
    choose(romeo, "never")
    assert shown(romeo) == ("never", [], [])
    romeo.leaves()
    assert shown(cast.log_in("romeo")) == ("never", [], [])


def test_each_side_decides_for_itself(romeo, juliet):
    choose(romeo, "never")
    says(romeo, "from him", "juliet@h")
    message = juliet.receives("<message/>")
    assert message.find("{urn:xmpp:sid:0}stanza-id") is not None
    says(juliet, "from her", "romeo@h")
    message = romeo.receives("<message/>")
    assert message.find("{urn:xmpp:sid:0}stanza-id") is None
    assert page(romeo).bodies == []
    assert page(juliet).bodies == ["from him", "from her"]


def test_what_is_wanted_never_or_always(cast, romeo):
    cast.account("juliet", "nurse", "paris")
    choose(romeo, "always", never=["juliet@h", "paris@h/x"])
    for to in ("juliet@h", "juliet@h/x", "paris@h", "paris@h/x", "nurse@h"):
        says(romeo, to, to)
    assert page(romeo).bodies == ["paris@h", "nurse@h"]
    choose(romeo, "never", always=["juliet@h", "paris@h/x"])
    for to in ("juliet@h/y", "paris@h", "paris@h/x", "nurse@h"):
        says(romeo, f"again {to}", to)
    assert page(romeo).bodies[2:] == ["again juliet@h/y", "again paris@h/x"]


def test_only_people_in_the_roster(cast, romeo):
    nurse, paris = cast("nurse", "paris")
    romeo.sends(
        "<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='nurse@h'/></query></iq>"
    )
    romeo.settle()
    romeo.forget()
    choose(romeo, "roster", always=["paris@h/x"])
    says(romeo, "to nurse", "nurse@h/y")
    says(romeo, "to paris", "paris@h")
    says(nurse, "from nurse", "romeo@h")
    says(paris, "from paris", "romeo@h")
    romeo.receives("<message/>", "<message/>")
    assert page(romeo).bodies == ["to nurse", "from nurse"]


def test_it_holds_for_people_who_are_away(cast, romeo, juliet):
    choose(juliet, "never")
    juliet.leaves()
    says(romeo, "Hark!", "juliet@h")
    again = cast.log_in("juliet/balcony")
    assert page(again).bodies == []
    again.sends("<presence/>")
    again.receives("<presence/>", "<message><body>Hark!</body></message>")


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ("bad-request", prefs("sometimes")),
        ("bad-request", f"<prefs xmlns='{MAM}'/>"),
        ("jid-malformed", prefs(always=["@"])),
        ("jid-malformed", prefs(never=[""])),
        ("resource-constraint", prefs(never=[f"p{n}@h" for n in range(1001)])),
    ],
)
def test_what_makes_no_sense_changes_nothing(romeo, condition, wanted):
    choose(romeo, "roster", ["nurse@h"])
    romeo.sends(f"<iq type='set' id='p'>{wanted}</iq>")
    error = f"<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
    romeo.receives(f"<iq type='error' id='p'><error>{error}</error></iq>")
    assert shown(romeo) == ("roster", ["nurse@h"], [])


def test_nobody_decides_for_others(cast, romeo):
    paris = cast("paris")
    paris.sends(f"<iq type='set' id='p' to='romeo@h'>{prefs('never')}</iq>")
    paris.receives("<iq type='error' id='p'><error type='auth'/></iq>")
    assert shown(romeo) == ("always", [], [])
