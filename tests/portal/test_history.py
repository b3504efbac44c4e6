"""What is kept of one's messages, and the file with all that one has."""

import time

import pytest
from lxml import etree

from hausbote.features.archive.retention import forget_old_messages
from support.portal import PortalWorld, heading, words
from support.worlds import PASSWORD

DAY = 86_400
JULIET = "juliet@box.local"


@pytest.fixture
def romeo(portal):
    return portal.browser_of("romeo")


def keep(portal, days_ago, local="romeo", text="Hark!"):
    """A message in somebody's archive."""
    message = (
        f"<message from='{JULIET}' to='{local}@box.local' type='chat'><body>{text}</body></message>"
    )
    id = int((time.time() - days_ago * DAY) * 1_000_000)
    portal.store.archives.keep(id, message.encode(), [(local, JULIET)]).wait()


def kept(portal, local="romeo"):
    return portal.store.archives.total(local)


def test_how_long_messages_are_kept_is_chosen_within_what_the_owner_allows(portal, romeo):
    for days in (0, 5, 20):
        keep(portal, days)
        keep(portal, days, "juliet")
    page = romeo.get("/me/history")
    assert heading(page) == "3 messages of yours are kept"
    assert '<option value="30"' not in page.text  # the box keeps them for 30 days
    assert romeo.post("/me/history", kind="always", days="7").status_code == 303
    assert 'value="7" selected' in romeo.get("/me/history").text
    forget_old_messages(portal.host)
    assert (kept(portal), kept(portal, "juliet")) == (2, 3)
    romeo.post("/me/history", kind="always", days="0")
    forget_old_messages(portal.host)
    assert kept(portal) == 2


@pytest.mark.parametrize(
    ("kind", "days"), [("always", "31"), ("always", "-1"), ("always", "²"), ("some", "7"), ("", "")]
)
def test_what_cannot_be_chosen_changes_nothing(portal, romeo, kind, days):
    romeo.get("/me/history")
    assert romeo.post("/me/history", kind=kind, days=days).status_code == 400
    assert portal.store.archiving.days("romeo") == 0
    assert portal.store.archiving.preferences("romeo").fallback == "always"


def test_what_is_kept_holds_at_once_and_clients_see_it(portal, romeo):
    his, hers = (portal.client().log_in(name, PASSWORD) for name in ("romeo", "juliet"))
    his.sends("<presence/>")
    romeo.send("/me/history", "/me/history", kind="never", days="0")
    his.sends("<iq type='get' id='p'><prefs xmlns='urn:xmpp:mam:2'/></iq>")
    assert his.answer("p")[0].get("default") == "never"
    hers.sends("<message to='romeo@box.local' type='chat'><body>Hark!</body></message>")
    hers.settle()
    assert (kept(portal), kept(portal, "juliet")) == (0, 1)
    his.sends("<iq type='set' id='s'><prefs xmlns='urn:xmpp:mam:2' default='roster'/></iq>")
    his.answer("s")
    assert 'value="roster" checked' in romeo.get("/me/history").text


def test_what_a_client_chooses_leaves_the_days_alone(portal, romeo):
    romeo.send("/me/history", "/me/history", kind="always", days="7")
    his = portal.client().log_in("romeo", PASSWORD)
    his.sends("<iq type='set' id='s'><prefs xmlns='urn:xmpp:mam:2' default='roster'/></iq>")
    his.answer("s")
    assert portal.store.archiving.days("romeo") == 7


def test_messages_are_deleted_with_the_password(portal, romeo):
    for days in (0, 10):
        keep(portal, days)
        keep(portal, days, "juliet")
    romeo.get("/me/history")
    answer = romeo.post("/me/history/delete", older="all", password="a guess")
    assert answer.status_code == 400
    assert kept(portal) == 2
    assert romeo.post("/me/history/delete", older="nonsense", password=PASSWORD).status_code == 400
    romeo.send("/me/history", "/me/history/delete", older="week", password=PASSWORD)
    assert "One message is deleted." in words(romeo.get("/me/history"))
    romeo.post("/me/history/delete", older="all", password=PASSWORD)
    assert (kept(portal), kept(portal, "juliet")) == (0, 2)
    assert heading(romeo.get("/me/history")) == "No message of yours is kept"


def test_all_that_somebody_has_is_a_file(portal, romeo):
    keep(portal, 1, text="Hark! &lt;b>")
    keep(portal, 1, "juliet", text="a secret")
    romeo.get("/me/export")
    answer = romeo.post("/me/export", password="a guess")
    assert answer.status_code == 400
    assert "Hark" not in answer.text
    answer = romeo.post("/me/export", password=PASSWORD)
    assert answer.mimetype == "application/xml"
    assert "romeo@box.local.xml" in answer.headers["Content-Disposition"]
    found = etree.fromstring(answer.data)
    assert [one.get("name") for one in found.iter("{*}user")] == ["romeo"]
    assert [one.text for one in found.iter("{*}body")] == ["Hark! <b>"]
    assert "device" in [one.get("kind") for one in found.iter("{*}event")]
    assert "a secret" not in answer.text


def test_files_are_fetched_one_at_a_time(portal, romeo):
    for number in range(300):
        keep(portal, 1 + number / 1000, text="x" * 1_000)
    romeo.get("/me/export")
    first = romeo.client.post(
        "/me/export", data={"seal": romeo.seal, "password": PASSWORD}, headers={"Host": "box.local"},
        base_url="https://box.local", environ_overrides={"REMOTE_ADDR": "192.0.2.7"}, buffered=False,
    )  # fmt: skip
    pieces = first.iter_encoded()
    assert next(pieces)
    hers = portal.browser_of("juliet")
    answer = hers.send("/me/export", "/me/export", password=PASSWORD)
    assert answer.status_code == 503
    assert "in some minutes" in words(answer)
    first.close()
    assert hers.send("/me/export", "/me/export", password=PASSWORD).status_code == 200


def test_who_takes_too_long_gives_way(portal, romeo):
    slow = portal.box.export.begin(600)
    assert portal.box.export.begin(600) is None
    slow.since -= 601
    assert romeo.send("/me/export", "/me/export", password=PASSWORD).status_code == 200
    with pytest.raises(OSError, match="too long"):
        slow.check()


def test_without_an_archive_the_page_says_so(tmp_path):
    portal = PortalWorld(tmp_path, archive={"enabled": "no"})
    try:
        page = portal.browser_of("romeo").get("/me/history")
        assert heading(page) == "Messages are not kept here"
    finally:
        portal.close()
