"""Accounts that leave a box by `hausbote export`, and come to one by `hausbote import`."""

import json
import os
import signal
import stat
import subprocess
import time
from contextlib import closing

import pytest
from lxml import etree

from hausbote.base.file_locks import locked
from hausbote.base.settings import Settings
from hausbote.storage import (
    Limits,
    NewItem,
    NewNode,
    Piece,
    Preferences,
    Range,
    RosterItem,
    open_store,
)
from hausbote.xmpp.sasl import derive_keys, encode, keys_for
from hausbote.xmpp.stanza import Child, child, stanza
from support.worlds import HAUSBOTE, hausbote

DOMAIN = "house.example"
PIE = "urn:xmpp:pie:0"
MINUTE = 60_000_000
MESSAGE = "<message from='juliet@house.example/a' to='romeo@house.example' type='chat' id='{}'><body>{}</body></message>"


def box(directory, domain=DOMAIN):
    hausbote("init", "--domain", domain, "--address", "127.0.0.86", state=directory)
    return directory


def opened(state):
    return closing(open_store(Settings.load(state).database_url))


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A box with everything that can be moved, and awkward texts."""
    state = box(tmp_path_factory.mktemp("full") / "state")
    with opened(state) as store:
        for name, password in (("romeo", "it's <&>"), ("juliet", "ö"), ("ünïcödé", "x")):
            store.accounts.create(name, keys_for(password), admin=name == "juliet")
        store.accounts.create("nurse", {"SHA-1": derive_keys("old", "SHA-1")})
        store.accounts.set_locked("nurse", True)
        fill(store, "romeo")
    return state


def fill(store, local):
    own = f"{local}@{DOMAIN}"
    for item in (
        RosterItem(f"juliet@{DOMAIN}", "Jule <3 & 'more'", "both", groups=("A & B", "'")),
        RosterItem("asked@elsewhere.example", "", "from", ask=True),
        RosterItem("approved@elsewhere.example", approved=True, listed=False),
    ):
        store.rosters.put(local, item)
    nick = child("http://jabber.org/protocol/nick", "nick", "Ros & Co")
    request = stanza("presence", nick, from_="ros@elsewhere.example", to=own, type="subscribe")
    store.rosters.add_request(local, "ros@elsewhere.example", request.pack(), time.time())
    store.blocklists.add(local, ["tybalt@elsewhere.example", "evil.example"], 0)
    store.archiving.set_preferences(local, Preferences("roster", ("a@b.example",), ("c.example",)))
    store.vcards.put(local, "<vCard xmlns='vcard-temp'><FN>R &amp; M</FN></vCard>")
    store.private.put(
        local, [Piece("my:own", "me", "<me xmlns='my:own' a='&lt;'>1</me>")], 0, 0
    ).wait()
    start = int(time.time() * 1_000_000) - 10_000 * MINUTE
    for number in range(1_200):
        text = MESSAGE.format(number, f"said {number} &lt;ö&gt; ]]&gt;&#13;\n")
        store.archives.keep(start + number * MINUTE, text.encode(), [(local, f"juliet@{DOMAIN}")])
    late = stanza(
        "message", Child("jabber:client", "body", "<body>late</body>"), from_="ros@elsewhere.example/x", to=own,
        type="chat", id="late",
    )  # fmt: skip
    store.offline.keep(local, late.pack(), 1_700_000_000.25, 0).wait()
    rooms = [
        NewItem(f"r{n}@rooms.{DOMAIN}", f"<conference xmlns='urn:xmpp:bookmarks:1' name='{n}' autojoin='true'/>")
        for n in range(120)
    ]  # fmt: skip
    listed = "".join(
        f"<conference name='{n}' autojoin='true' jid='r{n}@rooms.{DOMAIN}'/>" for n in range(120)
    )
    page = "<url name='W' url='https://w.example/'/>"
    old = [NewItem("current", f"<storage xmlns='storage:bookmarks'>{listed}{page}</storage>")]
    private = {"access_model": ["whitelist"], "max_items": ["max"]}
    for name, config, items in (
        ("urn:xmpp:bookmarks:1", private, rooms),
        ("storage:bookmarks", {"access_model": ["whitelist"]}, old),
        ("urn:xmpp:omemo:2:bundles", {"access_model": ["open"], "max_items": ["max"]},
         [NewItem("7", "<b xmlns='urn:xmpp:omemo:2'>1</b>"), NewItem("9", "")]),
        ("empty 'node'", {"title": ["<&>"]}, []),
    ):  # fmt: skip
        node = NewNode(local, name, local, own, time.time(), config)
        store.pubsub.publish(node, items, own, time.time(), Limits()).wait()
    node = store.pubsub.node(local, "urn:xmpp:omemo:2:bundles").id
    store.pubsub.people.affiliate(node, {"ros@elsewhere.example": ("member", "")}).wait()
    store.pubsub.people.subscribe(
        node, "ros@elsewhere.example/x", "ros@elsewhere.example", "s1", "subscribed", "", 0
    ).wait()


def exported(state, file, *options):
    hausbote("export", *(options or ["--all"]), str(file), state=state)
    return file


def compared(file):
    """The text of an export without the ids of the archive, which every box makes for itself, and
    without what happened to accounts there."""
    tree = etree.parse(file)
    for events in list(tree.iter("{urn:hausbote:pie:account:0}events")):
        before = events.getprevious()
        before.tail = (before.tail or "") + (events.tail or "").lstrip()
        events.getparent().remove(events)
    for result in tree.iter("{urn:xmpp:mam:2}result"):
        del result.attrib["id"]
    return etree.tostring(tree).decode()


def refused(*arguments, state):
    done = hausbote(*arguments, state=state, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def people(state):
    lines = hausbote("user", "list", "--json", state=state).stdout.splitlines()
    return [json.loads(line)["jid"].partition("@")[0] for line in lines]


def test_what_is_exported_and_imported_is_exported_again(full, tmp_path):
    first = exported(full, tmp_path / "first.xml")
    other = box(tmp_path / "other")
    done = hausbote("import", "--admins", str(first), state=other)
    assert "4 accounts were made" in done.stdout
    assert "left out" not in done.stderr
    assert compared(exported(other, tmp_path / "second.xml")) == compared(first)
    text = first.read_text()
    for secret in ("it's", "&apos;s &lt;&amp;"):  # passwords are nowhere in it
        assert f">{secret}" not in text
        assert f"'{secret}" not in text


def test_an_export_says_what_it_holds_and_is_for_its_owner_alone(full, tmp_path):
    file = tmp_path / "out.xml"
    old = os.umask(0)
    try:
        done = hausbote("export", "--account", f"romeo@{DOMAIN}", str(file), state=full)
    finally:
        os.umask(old)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "holds the keys of passwords" in done.stdout
    assert [one.get("name") for one in etree.parse(file).iter(f"{{{PIE}}}user")] == ["romeo"]
    assert list(tmp_path.iterdir()) == [file]
    assert "exists already" in refused("export", "--all", str(file), state=full)
    assert "no account" in refused(
        "export", "--account", f"nobody@{DOMAIN}", str(tmp_path / "x"), state=full
    )
    assert "Say which" in refused("export", str(tmp_path / "x"), state=full)


def test_what_came_keeps_its_time_and_is_where_it_was(full, tmp_path):
    other = box(tmp_path / "other")
    hausbote("import", str(exported(full, tmp_path / "out.xml")), state=other)
    with opened(full) as old, opened(other) as new:
        here, there = (store.archives.page("romeo", Range(), 2_000) for store in (old, new))
        assert [one.id for one in there] == [one.id for one in here]
        assert [one.stanza for one in there] == [one.stanza for one in here]
        with_juliet = new.archives.count("romeo", Range(peer=f"juliet@{DOMAIN}")).number
        assert with_juliet == len(here) == 1_200
        (late,) = new.offline.pending("romeo")
        assert late.at == 1_700_000_000.25
        assert new.usage.accounts(DOMAIN, "romeo") == old.usage.accounts(DOMAIN, "romeo")
        assert not new.accounts.get("juliet").admin  # without --admins
        assert new.accounts.get("nurse").locked
        assert new.accounts.keys("romeo", "SHA-256") == old.accounts.keys("romeo", "SHA-256")


def test_who_is_there_already_is_left_alone(full, tmp_path):
    file = exported(full, tmp_path / "out.xml")
    other = box(tmp_path / "other")
    hausbote("user", "add", f"romeo@{DOMAIN}", "--password-stdin", state=other, input="mine")
    told = refused("import", str(file), state=other)
    assert "1 accounts were there already and were left alone: romeo." in told
    assert sorted(people(other)) == sorted(["romeo", "juliet", "nurse", "ünïcödé"])
    with opened(other) as store:
        assert store.archives.ends("romeo") is None
    assert "4 accounts were there already" in refused("import", str(file), state=other)


# -- what others write -------------------------------------------------------------------------


@pytest.fixture
def empty(tmp_path):
    return box(tmp_path / "state")


def write(path, users, domain=DOMAIN):
    path.write_text(f"<server-data xmlns='{PIE}'><host jid='{domain}'>{users}</host></server-data>")
    return path


def test_passwords_become_keys_at_once(empty, tmp_path):
    file = write(
        tmp_path / "x.xml", "<user name='Romeo' password='wherefore &amp; why'/><user name='mute'/>"
    )
    done = hausbote("import", str(file), state=empty)
    assert "Nobody can log in to mute yet" in done.stderr
    with opened(empty) as store:
        keys = store.accounts.keys("romeo", "SHA-256")
        salt, iterations = keys.salt, keys.iterations
        made = derive_keys("wherefore & why", "SHA-256", salt=salt, iterations=iterations)
        assert keys == made
        assert store.accounts.all_keys("mute") == {}
    assert b"wherefore" not in (empty / "hausbote.db").read_bytes()


def test_keys_as_old_versions_of_ejabberd_wrote_them(empty, tmp_path):
    keys = derive_keys("secret", "SHA-1", iterations=4096)
    old = ",".join([encode(keys.stored_key), encode(keys.server_key), encode(keys.salt), "4096"])
    hausbote(
        "import",
        str(write(tmp_path / "x.xml", f"<user name='romeo' password='scram:{old}'/>")),
        state=empty,
    )
    with opened(empty) as store:
        assert store.accounts.all_keys("romeo") == {"SHA-1": keys}


def test_files_that_include_others(empty, tmp_path):
    """As XEP-0227 §5.1 lays them out."""
    xi = "xmlns:xi='http://www.w3.org/2001/XInclude'"
    main = tmp_path / "main.xml"
    main.write_text(f"<server-data xmlns='{PIE}' {xi}><xi:include href='h.xml'/></server-data>")
    (tmp_path / "h.xml").write_text(
        f"<host xmlns='{PIE}' {xi} jid='{DOMAIN}'><xi:include href='{DOMAIN}/romeo%20.xml'/></host>"
    )
    (tmp_path / DOMAIN).mkdir()
    (tmp_path / DOMAIN / "romeo .xml").write_text(
        f"<user xmlns='{PIE}' {xi} name='romeo'><xi:include href='vcard.xml'/>"
        "<query xmlns='jabber:iq:private'><mine xmlns='my:own'><xi:include href='/etc/passwd'/></mine></query></user>"
    )
    (tmp_path / DOMAIN / "vcard.xml").write_text("<vCard xmlns='vcard-temp'><FN>R</FN></vCard>")
    hausbote("import", str(main), state=empty)
    with opened(empty) as store:
        assert "<FN>R</FN>" in store.vcards.get("romeo")
        assert "href='/etc/passwd'" in store.private.get("romeo", "my:own", "mine")  # as it was


@pytest.mark.parametrize("digits", [20, 5_000])
def test_a_time_that_cannot_be_is_now(empty, tmp_path, digits):
    said = f"<account xmlns='urn:hausbote:pie:account:0' created='{'9' * digits}'/>"
    user = f"<user name='romeo' password='x'>{said}</user>"
    before = time.time()
    hausbote("import", str(write(tmp_path / "x.xml", user)), state=empty)
    with opened(empty) as store:
        assert int(before) <= store.accounts.get("romeo").created <= time.time()


@pytest.mark.parametrize("iterations", ["9" * 5_000, "²", "0", "-1"])
def test_keys_of_old_that_are_none_are_a_password(empty, tmp_path, iterations):
    keys = derive_keys("secret", "SHA-1", iterations=4096)
    parts = [encode(keys.stored_key), encode(keys.server_key), encode(keys.salt), iterations]
    user = f"<user name='romeo' password='scram:{','.join(parts)}'/>"
    hausbote("import", str(write(tmp_path / "x.xml", user)), state=empty)
    with opened(empty) as store:
        assert store.accounts.all_keys("romeo")["SHA-1"].stored_key != keys.stored_key


def test_a_directory_stands_for_its_files(empty, tmp_path):
    (tmp_path / "files").mkdir()
    for name in ("romeo", "juliet"):
        write(tmp_path / "files" / f"{name}@{DOMAIN}.xml", f"<user name='{name}' password='x'/>")
    hausbote("import", str(tmp_path / "files"), state=empty)
    assert people(empty) == ["juliet", "romeo"]


GOOD = "<user name='good' password='x'/>\n"
BAD = {
    "not well-formed": (f"{GOOD}<user name='romeo'><query></user>", "line 2: this is not well-formed XML"),
    "cut off": (f"{GOOD}<user name='romeo'>", "is not well-formed XML"),
    "a name that is none": (f"{GOOD}<user name='ro meo'/>", "line 2: this cannot be an account's name"),
    "no name": (f"{GOOD}<user/>", "line 2: this cannot be an account's name"),
    "twice": (f"{GOOD}<user name='GOOD'/>", "line 2: good@house.example stands in"),
    "keys that are none": (
        f"{GOOD}<user name='romeo'>\n<scram-credentials xmlns='{PIE}#scram' mechanism='SCRAM-SHA-1'>"
        "<salt>AAAA</salt></scram-credentials></user>", "line 3: these are no keys for SCRAM-SHA-1",
    ),
    "keys that nobody knows": (
        f"{GOOD}<user name='romeo'><scram-credentials xmlns='{PIE}#scram' mechanism='PLAIN'/></user>",
        "line 2: keys for PLAIN are not known",
    ),
    "too deep": (f"{GOOD}<user name='romeo'><x xmlns='x'>{'<y>' * 200}{'</y>' * 200}</x></user>", "too deep"),
    "includes what is elsewhere": (
        f"{GOOD}<include xmlns='http://www.w3.org/2001/XInclude' href='../outside.xml'/>",
        "line 2: only files beside this one are included",
    ),
    "includes from the net": (
        f"{GOOD}<include xmlns='http://www.w3.org/2001/XInclude' href='https://x.example/x.xml'/>",
        "line 2: only files beside this one are included",
    ),
    "includes text": (
        f"{GOOD}<include xmlns='http://www.w3.org/2001/XInclude' parse='text' href='x.xml'/>",
        "line 2: only whole files of XML can be included",
    ),
    "includes nothing": (
        f"{GOOD}<include xmlns='http://www.w3.org/2001/XInclude' href='missing.xml'/>", "missing.xml",
    ),
    "includes itself": (
        f"{GOOD}<include xmlns='http://www.w3.org/2001/XInclude' href='x.xml'/>",
        "line 1: this is no export by XEP-0227: it does not begin with <user/>",
    ),
}  # fmt: skip


@pytest.mark.parametrize("bad", BAD)
def test_bad_files_are_refused_in_a_sentence_and_change_nothing(empty, tmp_path, bad):
    users, sentence = BAD[bad]
    (tmp_path / "outside.xml").write_text("<user/>")
    (tmp_path / "in").mkdir()
    told = refused("import", str(write(tmp_path / "in" / "x.xml", users)), state=empty)
    assert sentence in told
    assert len([line for line in told.splitlines() if "Looking" not in line]) == 1
    assert people(empty) == []


ENTITIES = {
    "a document type": "<!DOCTYPE server-data [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]>",
    "an outer one": "<!DOCTYPE server-data SYSTEM 'file:///etc/passwd'>",
    "an outer entity": "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>",
}


@pytest.mark.parametrize("head", ENTITIES)
def test_document_types_and_entities_are_not_read(empty, tmp_path, head):
    file = write(tmp_path / "x.xml", "<user name='romeo' password='&a;'/>")
    file.write_text(f"{ENTITIES[head]}{file.read_text()}")
    assert "line 1: document types and entities are not read" in refused(
        "import", str(file), state=empty
    )
    file.write_text(file.read_text().removeprefix(ENTITIES[head]))
    assert "undefined entity" in refused("import", str(file), state=empty)
    assert people(empty) == []


def test_other_files_are_no_exports(empty, tmp_path):
    for name, text in (
        ("page", "<html/>"),
        ("old", f"<user xmlns='{PIE}' name='x'/>"),
        ("none", ""),
    ):
        (tmp_path / name).write_text(text)
        told = refused("import", str(tmp_path / name), state=empty)
        assert "no export by XEP-0227" in told or "not well-formed" in told
    os.mkfifo(tmp_path / "pipe")
    assert "is no plain file" in refused("import", str(tmp_path / "pipe"), state=empty)
    (tmp_path / "nothing").mkdir()
    assert "has no file that is called" in refused("import", str(tmp_path / "nothing"), state=empty)


def test_people_of_other_domains_are_left_out(empty, tmp_path):
    file = write(tmp_path / "x.xml", "<user name='romeo' password='x'/>", domain="else.example")
    told = refused("import", str(file), state=empty)
    assert "1 accounts of else.example are left out: this box is house.example." in told
    assert "no accounts of house.example in it; nothing was changed" in told
    assert people(empty) == []


def test_an_element_that_is_too_large_is_refused(empty, tmp_path):
    file = tmp_path / "x.xml"
    with file.open("w") as out:
        out.write(f"<server-data xmlns='{PIE}'><host jid='{DOMAIN}'><user name='romeo'>\n")
        out.write(
            f"<vCard xmlns='vcard-temp'><NOTE>{'x' * 17_000_000}</NOTE></vCard></user></host></server-data>"
        )
    assert "line 2: an element is too large" in refused("import", str(file), state=empty)


def test_what_cannot_be_taken_over_is_told_and_the_rest_is(empty, tmp_path):
    users = (
        "<user name='romeo' password='x'>\n<query xmlns='jabber:iq:roster'><item jid='a b@c'/>"
        "<item jid='juliet@house.example/x' subscription='strange'/></query>\n<magic xmlns='x'/>\n"
        f"<archive xmlns='{PIE}#mam'><result xmlns='urn:xmpp:mam:2' id='1'/></archive></user>"
    )
    done = hausbote("import", str(write(tmp_path / "x.xml", users)), state=empty)
    for sentence in (
        "line 2: an address is none",
        "line 3: <magic/> is not known here",
        "line 4: there is no message",
    ):
        assert sentence in done.stderr
    with opened(empty) as store:
        (item,) = store.rosters.load("romeo").items.values()
    assert (item.jid, item.subscription) == ("juliet@house.example", "none")


def test_old_messages_are_warned_of(empty, tmp_path):
    message = (
        "<result xmlns='urn:xmpp:mam:2' id='{0}'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay'"
        " stamp='2020-01-01T00:00:00Z'/><message xmlns='jabber:client' from='a@b.example'><body>{0}</body></message>"
        "</forwarded></result>"
    )
    messages = "".join(message.format(n) for n in range(3))
    users = (
        f"<user name='romeo' password='x'><archive xmlns='{PIE}#mam'>{messages}</archive></user>"
    )
    done = hausbote("import", str(write(tmp_path / "x.xml", users)), state=empty)
    assert "3 messages are older than 30 days" in done.stderr
    with opened(empty) as store:  # of the same second, in their order
        page = store.archives.page("romeo", Range(), 10)
    assert [one.stanza.partition(b"<body>")[2][:1] for one in page] == [b"0", b"1", b"2"]


# -- cut off -----------------------------------------------------------------------------------


@pytest.mark.timeout(400)  # some fifty commands, one after the other
def test_an_import_that_is_killed_leaves_whole_accounts_and_goes_on_later(full, tmp_path):
    file = exported(full, tmp_path / "out.xml")
    wanted = compared(file)
    killed = 0
    for moment in range(12):
        other = box(tmp_path / f"other-{moment}")
        process = subprocess.Popen(
            [*HAUSBOTE, "--state", str(other), "import", "--admins", str(file)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for_growth(other, process, moment)
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        there = people(other)
        with opened(other) as store:
            if "romeo" in there:
                assert store.archives.count("romeo", Range()).number == 1_200
            assert all(not one.startswith("/") for one in there)
        hausbote("import", "--admins", str(file), state=other, check=False)
        assert compared(exported(other, tmp_path / f"again-{moment}.xml")) == wanted
        with opened(other) as store:
            assert store.moves.clear() == 0
    assert killed


def wait_for_growth(state, process, moment):
    """Until the database has been written to so often, or the import has ended."""
    log = state / "hausbote.db-wal"
    seen, changes = 0, 0
    while process.poll() is None and changes <= moment:
        try:
            size = log.stat().st_size
        except FileNotFoundError:
            continue
        changes += size != seen
        seen = size


def test_one_import_at_a_time(empty, tmp_path):
    file = write(tmp_path / "x.xml", "<user name='romeo' password='x'/>")
    with locked(empty / "import.lock"):
        assert "Another import is running" in refused("import", str(file), state=empty)
    hausbote("import", str(file), state=empty)


# -- dumps of ejabberd -------------------------------------------------------------------------

DUMP = """\
{tables,[{passwd,[{record_name,passwd},{attributes,[us,password]}]},
         {session,[{record_name,session},{attributes,[sid,usr]}]},
         {roster,[{record_name,roster},{attributes,[usj,us,jid,name,subscription,ask,groups,askmessage,xs]}]},
         {archive_msg,[{record_name,archive_msg},
                       {attributes,[us,id,timestamp,peer,bare_peer,packet,nick,type]}]}]}.
{passwd,{<<"romeo">>,<<"house.example">>},<<"it's <plain>">>}.
{session,#Ref<0.1.2>,{1,2}}.
{roster,{<<"romeo">>,<<"house.example">>,{<<"a">>,<<"b.example">>,<<>>}},{<<"romeo">>,<<"house.example">>},
        {<<"a">>,<<"b.example">>,<<>>},<<"A & B">>,both,none,[<<"G">>],<<>>,[]}.
{archive_msg,{<<"romeo">>,<<"house.example">>},<<"2">>,{1700,2,5},{},{},
             {xmlel,<<"message">>,[{<<"from">>,<<"a@b.example">>}],
                    [{xmlel,<<"body">>,[],[{xmlcdata,<<"second <1>">>}]}]},<<>>,chat}.
{archive_msg,{<<"romeo">>,<<"house.example">>},<<"1">>,{1700,1,0},{},{},
             {xmlel,<<"message">>,[{<<"from">>,<<"a@b.example">>}],
                    [{xmlel,<<"body">>,[],[{xmlcdata,<<"first">>}]}]},<<>>,chat}.
{archive_msg,{<<"romeo">>,<<"house.example">>},<<"3">>,{1700,3,0},{},{},
             {xmlel,<<"message">>,[],[{xmlcdata,<<"\\b">>}]},<<>>,chat}.
{archive_msg,{<<"room">>,<<"rooms.house.example">>},<<"1">>,{1700,1,0},{},{},{},<<>>,groupchat}.
"""


def test_a_dump_of_ejabberd(empty, tmp_path):
    file = tmp_path / "dump.txt"
    file.write_text(DUMP)
    done = hausbote("import", str(file), state=empty)
    assert "dump.txt: there is no message with a time; it is left out." in done.stderr
    with opened(empty) as store:
        (item,) = store.rosters.load("romeo").items.values()
        assert item == RosterItem("a@b.example", "A & B", "both", groups=("G",))
        first, second = store.archives.page("romeo", Range(), 10)
        assert (first.id, second.id) == (1_700_000_001_000_000, 1_700_000_002_000_005)
        assert b"<body>first</body>" in first.stanza
        assert b"<body>second &lt;1&gt;</body>" in second.stanza
        keys = store.accounts.keys("romeo", "SHA-1")
        assert keys == derive_keys("it's <plain>", "SHA-1", salt=keys.salt)


BAD_DUMPS = {
    "cut off": (DUMP[:-20], "the file ends in the middle of a term"),
    "a row that is none": (DUMP + "{passwd,\n{<<}}.\n", "line 19: this row cannot be read"),
    "a row of a table that is not known": (DUMP + "{vcard,{<<1>>,<<1>>},x}.\n", "line 19: this row"),
    "a time that cannot be": (
        DUMP.replace("{1700,3,0}", "{-1700,3,0}"), "line 16: this row cannot be read",
    ),
    "an account without a password": (
        DUMP.replace("[us,password]", "[us,secret]"), "the rows of romeo are not as ejabberd writes them",
    ),
}  # fmt: skip


@pytest.mark.parametrize("bad", BAD_DUMPS)
def test_bad_dumps_change_nothing(empty, tmp_path, bad):
    text, sentence = BAD_DUMPS[bad]
    (tmp_path / "dump.txt").write_text(text)
    assert sentence in refused("import", str(tmp_path / "dump.txt"), state=empty)
    assert people(empty) == []


def test_data_of_prosody_that_is_damaged(empty, tmp_path):
    host = tmp_path / "data" / "house%2eexample"
    for store, text in (("accounts", 'return { ["password"] = "x" };'), ("archive", "")):
        (host / store).mkdir(parents=True)
        (host / store / f"romeo.{'dat' if text else 'list'}").write_text(text)
    item = (
        'item({ { "hi"; ["name"] = "body"; ["attr"] = {}; }; ["name"] = "message"; ["key"] = "1"; ["when"] = 1700000000;'
        ' ["attr"] = { ["from"] = "a@b.example"; }; \n});\n'
    )
    for text, sentence in (
        (f"{item}item({{\n", "romeo.list, line 3: the file ends in the middle of an item"),
        (
            f"{item}item({{ f() \n}});\n",
            "romeo.list, line 3: there is something in it that is no literal",
        ),
    ):
        (host / "archive" / "romeo.list").write_text(text)
        assert sentence in refused("import", str(tmp_path / "data"), state=empty)
    (host / "archive" / "romeo.list").write_text(f"{item}item({{\n}});\n")
    (host / "roster").mkdir()
    (host / "roster" / "romeo.dat").write_text('return { ["a@b.example"] = 1 };')
    told = refused("import", str(tmp_path / "data"), state=empty)
    assert "the files of romeo@house.example are not as Prosody writes them" in told
    assert people(empty) == []
    (host / "roster" / "romeo.dat").unlink()
    account = host / "accounts" / "romeo.dat"
    account.write_text('return { ["password"] = "x"; ["created"] = 1e999 };')
    told = refused("import", str(tmp_path / "data"), state=empty)
    assert "the files of romeo@house.example are not as Prosody writes them" in told
    account.write_text('return { ["password"] = "x" };')
    strange = item.replace("1700000000", "1e999")
    (host / "archive" / "romeo.list").write_text(f"{item}{strange}item({{\n}});\n")
    done = hausbote("import", str(tmp_path / "data"), state=empty)
    assert "there is no message with a time; it is left out." in done.stderr
    with opened(empty) as store:
        (message,) = store.archives.page("romeo", Range(), 10)
    assert (message.id, b"<body>hi</body>" in message.stanza) == (1_700_000_000_000_000, True)
