"""Ad-hoc commands, and those of administrators: XEP-0050, XEP-0133."""

import pytest

from support.client import SASL, Client
from support.commands import ADMIN, COMMANDS, Admin, command, errors, field, succeeded
from support.sasl2_client import failure_of, log_in
from support.scram_client import ScramClient
from support.worlds import PASSWORD

ITEMS = "http://jabber.org/protocol/disco#items"
INFO = "http://jabber.org/protocol/disco#info"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"


def refused(condition, type="cancel", specific=""):
    detail = f"<{specific} xmlns='{COMMANDS}'/>" if specific else ""
    return (
        f"<iq type='error' id='c'><error type='{type}'>"
        f"<{condition} xmlns='{STANZAS}'/>{detail}</error></iq>"
    )


def discovers(client, ns, node, to="h"):
    client.sends(f"<iq type='get' id='d' to='{to}'><query xmlns='{ns}' node='{node}'/></iq>")


@pytest.fixture
def nurse(cast):
    """An administrator, and the only one."""
    accounts = cast.world.store.accounts
    for local in accounts.admins():
        accounts.set_admin(local, False)
    client = cast("nurse/admin")
    accounts.set_admin("nurse", True)
    yield client
    accounts.set_admin("nurse", False)


@pytest.fixture
def admin(nurse):
    return Admin(nurse)


@pytest.fixture(params=["h", "nurse@h"])
def admin_anywhere(nurse, request):
    """Commands stand at the server and at one's own account."""
    return Admin(nurse, request.param)


@pytest.fixture
def fresh(cast):
    """A name that nobody has."""
    accounts = cast.world.store.accounts
    accounts.delete("tybalt", "tybalt@h")
    yield "tybalt"
    accounts.delete("tybalt", "tybalt@h")


def can_log_in(world, local, password):
    return _log_in(world, local, password).tag.endswith("}success")


def _log_in(world, local, password):
    client: Client = world.client()
    client.secure()
    answer = client.authenticate(ScramClient(local, password, "SCRAM-SHA-256"), "SCRAM-SHA-256")
    client.wire.cut()
    return answer


# -- who sees what -----------------------------------------------------------------------------


def test_administrators_see_their_commands(nurse):
    for to in ("h", "nurse@h"):
        discovers(nurse, ITEMS, COMMANDS, to)
        query = nurse.receives(f"<iq type='result'><query xmlns='{ITEMS}' node='{COMMANDS}'/></iq>")
        nodes = {item.get("node"): item.get("jid") for item in query[0]}
        assert nodes[f"{ADMIN}#add-user"] == to
        assert len(nodes) > 20
    discovers(nurse, INFO, f"{ADMIN}#add-user")
    nurse.receives(
        f"<iq type='result'><query xmlns='{INFO}' node='{ADMIN}#add-user'>"
        "<identity category='automation' type='command-node' name='*'/>"
        f"<feature var='{COMMANDS}'/><feature var='jabber:x:data'/></query></iq>"
    )
    discovers(nurse, INFO, COMMANDS)
    nurse.receives(
        f"<iq type='result'><query xmlns='{INFO}'>"
        "<identity category='automation' type='command-list'/></query></iq>"
    )


def test_others_see_none_and_may_run_none(cast, nurse):
    romeo = cast("romeo")
    for to in ("h", "romeo@h"):
        discovers(romeo, ITEMS, COMMANDS, to)
        offered = romeo.receives("<iq type='result'/>")[0]
        assert not [item for item in offered if item.get("node").startswith(ADMIN)]
    discovers(romeo, INFO, f"{ADMIN}#add-user")
    romeo.receives("<iq type='error'><error type='cancel'><forbidden xmlns='*'/></error></iq>".replace("'*'", f"'{STANZAS}'"))  # fmt: skip
    for to in ("h", "romeo@h"):
        romeo.sends(command(f"{ADMIN}#get-online-users-num", to=to))
        romeo.receives(refused("forbidden"))


def test_other_peoples_accounts_say_nothing(cast, nurse):
    romeo = cast("romeo")
    for to in ("nurse@h", "nobody@h"):
        romeo.sends(command(f"{ADMIN}#get-online-users-num", to=to))
        romeo.receives(refused("service-unavailable"))
        discovers(romeo, ITEMS, COMMANDS, to)
        assert len(romeo.receives("<iq type='result'/>")[0]) == 0


def test_whoever_is_no_administrator_any_more_cannot_finish(cast, nurse, admin, fresh):
    begun = admin.begins("add-user")
    cast.world.store.accounts.set_admin("nurse", False)
    admin.submits("add-user", begun.get("sessionid"), {"accountjid": f"{fresh}@h"})
    nurse.receives(refused("forbidden"))


# -- the framework -----------------------------------------------------------------------------


def test_an_unknown_command_is_not_found(nurse):
    nurse.sends(command("urn:example:nothing"))
    nurse.receives(refused("item-not-found"))
    nurse.sends(command(f"{ADMIN}#shutdown"))
    nurse.receives(refused("feature-not-implemented"))


@pytest.mark.parametrize(
    ("action", "specific"), [("dance", "malformed-action"), ("next", "bad-action")]
)
def test_an_action_must_fit(nurse, action, specific):
    nurse.sends(command(f"{ADMIN}#add-user", action))
    nurse.receives(refused("bad-request", "modify", specific))


def test_a_command_of_one_form_has_no_way_back_and_needs_the_form(nurse, admin):
    begun = admin.begins("add-user")
    id = begun.get("sessionid")
    assert [one.tag.rpartition("}")[2] for one in begun[0]] == ["complete"]
    assert begun[0].get("execute") == "complete"
    for action, specific in (("prev", "bad-action"), ("next", "bad-action")):
        nurse.sends(command(f"{ADMIN}#add-user", action, id, {}))
        nurse.receives(refused("bad-request", "modify", specific))
    nurse.sends(command(f"{ADMIN}#add-user", "complete", id))
    nurse.receives(refused("bad-request", "modify", "bad-payload"))
    nurse.sends(command(f"{ADMIN}#add-user", "cancel", id))
    nurse.receives(f"<iq type='result'><command xmlns='{COMMANDS}' status='canceled'/></iq>")
    nurse.sends(command(f"{ADMIN}#add-user", "complete", id, {}))
    nurse.receives(refused("not-allowed", "cancel", "session-expired"))


@pytest.mark.parametrize("missing", [None, [], [""], [" "]])
def test_what_is_required_may_be_filled_in_once_more(nurse, admin, fresh, missing):
    id = admin.begins("add-user").get("sessionid")
    given = {"accountjid": [f"{fresh}@h"], "password-verify": ["x"]}
    lacking = given if missing is None else given | {"password": missing}
    nurse.sends(command(f"{ADMIN}#add-user", "complete", id, lacking))
    nurse.receives(refused("bad-request", "modify", "bad-payload"))
    admin.submits("add-user", id, given | {"password": ["x"]})
    nurse.receives(f"<iq type='result'><command xmlns='{COMMANDS}' status='completed'/></iq>")


def test_a_form_that_is_sent_at_once_must_be_whole_too(nurse, fresh):
    nurse.sends(command(f"{ADMIN}#add-user", values={"accountjid": [f"{fresh}@h"]}))
    nurse.receives(refused("bad-request", "modify", "bad-payload"))


def test_empty_lines_in_a_list_are_no_addresses(cast, admin):
    cast("romeo")
    done = admin.runs("get-user-lastlogin", accountjids=["", "romeo@h", " "])
    assert field(done, "accountjids") == ["romeo@h"]


def test_a_session_is_its_owners_and_its_commands(cast, nurse, admin):
    id = admin.begins("add-user").get("sessionid")
    phone = cast("nurse/phone")
    phone.sends(command(f"{ADMIN}#add-user", "complete", id, {}))
    phone.receives(refused("bad-request", "modify", "bad-sessionid"))
    nurse.forget()
    nurse.sends(command(f"{ADMIN}#delete-user", "complete", id, {}))
    nurse.receives(refused("bad-request", "modify", "bad-sessionid"))
    nurse.sends(command(f"{ADMIN}#add-user", "cancel", id))
    nurse.receives("<iq type='result' id='c'/>")


def test_only_so_many_sessions_are_kept(nurse, admin):
    first = admin.begins("add-user").get("sessionid")
    for _ in range(20):
        last = admin.begins("add-user").get("sessionid")
    nurse.sends(command(f"{ADMIN}#add-user", "cancel", first))
    nurse.receives(refused("not-allowed", "cancel", "session-expired"))
    nurse.sends(command(f"{ADMIN}#add-user", "cancel", last))
    nurse.receives("<iq type='result' id='c'/>")


# -- accounts ----------------------------------------------------------------------------------


def test_a_new_user_can_log_in(cast, admin_anywhere, fresh):
    jid = f"{fresh}@h"
    done = admin_anywhere.runs(
        "add-user", accountjid=jid, password="cat king", password_verify="cat king"
    )
    assert succeeded(done)
    assert can_log_in(cast.world, fresh, "cat king")


@pytest.mark.parametrize(
    ("jid", "password", "again"),
    [
        ("tybalt@h", "one", "other"),
        ("tybalt@elsewhere", "one", "one"),
        ("tybalt@no@where", "one", "one"),
        ("h", "one", "one"),
    ],
)
def test_a_user_that_cannot_be_is_told(cast, admin, fresh, jid, password, again):
    done = admin.runs("add-user", accountjid=jid, password=password, password_verify=again)
    assert done.get("status") == "completed"
    assert errors(done)
    assert not cast.world.store.accounts.exists(fresh)


def test_a_user_who_exists_is_a_conflict(cast, nurse, admin):
    cast.account("romeo")
    id = admin.begins("add-user").get("sessionid")
    values = {"accountjid": "romeo@h", "password": "x", "password-verify": "x"}
    admin.submits("add-user", id, values)
    nurse.receives(refused("conflict"))
    assert can_log_in(cast.world, "romeo", PASSWORD)


def test_a_deleted_user_is_gone_and_the_contacts_hear_of_it(cast, admin):
    romeo, juliet = cast("romeo", "juliet")
    cast.befriend(romeo, juliet)
    assert succeeded(admin.runs("delete-user", accountjids="romeo@h/x"))
    romeo.is_ended_with("not-authorized")
    assert not cast.world.store.accounts.exists("romeo")
    juliet.receives("<presence type='unavailable' from='romeo@h/somewhere'/>")
    juliet.sends("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
    item = juliet.receives("<iq type='result' id='r'/>")[0][0]
    assert (item.get("jid"), item.get("subscription")) == ("romeo@h", "none")


def test_a_disabled_user_is_logged_out_and_stays_out_until_re_enabled(cast, admin):
    romeo = cast("romeo")
    romeo.sends(
        "<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='a@b'/></query></iq>"
    )
    romeo.settle()
    assert succeeded(admin.runs("disable-user", accountjids="romeo@h"))
    romeo.is_ended_with("not-authorized")
    assert not can_log_in(cast.world, "romeo", PASSWORD)
    assert "romeo@h" in field(
        admin.runs("get-disabled-users-list", max_items="100"), "disableduserjids"
    )
    assert int(field(admin.runs("get-disabled-users-num"), "disabledusersnum")[0]) >= 1
    roster = admin.runs("get-user-roster", accountjids="romeo@h")
    assert roster.find(".//{jabber:iq:roster}item").get("jid") == "a@b"
    assert succeeded(admin.runs("reenable-user", accountjids="romeo@h"))
    assert can_log_in(cast.world, "romeo", PASSWORD)


def test_who_knows_the_password_hears_that_the_account_is_locked_and_nobody_else(cast, admin):
    cast.account("romeo")
    assert succeeded(admin.runs("disable-user", accountjids="romeo@h"))
    for password, condition in ((PASSWORD, "account-disabled"), ("guessed", "not-authorized")):
        failure = _log_in(cast.world, "romeo", password)
        assert failure[0].tag == f"{{{SASL}}}{condition}"
        stranger = cast.world.client()
        stranger.secure()
        assert failure_of(log_in(stranger, password=password)) == condition
        stranger.wire.cut()


@pytest.mark.parametrize("jid", ["nobody@h", "romeo@elsewhere", "a@b@c"])
@pytest.mark.parametrize(
    "name", ["delete-user", "disable-user", "reenable-user", "get-user-roster"]
)
def test_whom_there_is_not_is_told_and_the_others_are_left_alone(cast, admin, name, jid):
    romeo = cast("romeo")
    done = admin.runs(name, accountjids=["romeo@h", jid])
    assert errors(done)
    romeo.receives_nothing()


def test_one_session_or_all_of_them_are_ended(cast, admin):
    desk, phone, tablet = cast("romeo/desk", "romeo/phone", "romeo/tablet")
    assert succeeded(admin.runs("end-user-session", accountjids="romeo@h/desk"))
    desk.is_ended_with("reset")
    phone.forget()
    assert errors(admin.runs("end-user-session", accountjids="romeo@h/desk"))
    assert succeeded(admin.runs("end-user-session", accountjids="romeo@h"))
    phone.is_ended_with("reset")
    tablet.is_ended_with("reset")
    assert can_log_in(cast.world, "romeo", PASSWORD)


def test_another_password(cast, admin):
    romeo = cast("romeo")
    done = admin.runs("change-user-password", accountjid="romeo@h", password="deny thy father")
    assert succeeded(done)
    romeo.is_ended_with("reset")
    assert can_log_in(cast.world, "romeo", "deny thy father")


def test_an_administrator_makes_another_and_the_last_one_stays(cast, admin):
    cast.account("romeo")
    assert field(admin.begins("edit-admin"), "adminjids") == ["nurse@h"]
    for name in ("delete-user", "disable-user"):
        assert errors(admin.runs(name, accountjids="nurse@h"))
    for jids in ([], ["nobody@h"], ["romeo@elsewhere"]):
        assert errors(admin.runs("edit-admin", adminjids=jids))
    assert succeeded(admin.runs("edit-admin", adminjids=["nurse@h", "romeo@h"]))
    assert cast.world.store.accounts.admins() == ["nurse", "romeo"]
    assert succeeded(admin.runs("edit-admin", adminjids=["nurse@h"]))
    assert cast.world.store.accounts.admins() == ["nurse"]


# -- questions ---------------------------------------------------------------------------------


def test_numbers_and_lists(cast, admin):
    romeo, juliet = cast("romeo", "juliet")
    juliet.sends("<presence><show>away</show></presence>")
    juliet.settle()
    romeo.settle()
    registered = field(
        admin.runs("get-registered-users-list", max_items="none"), "registereduserjids"
    )
    assert {"romeo@h", "juliet@h", "nurse@h"} <= set(registered)
    online = field(admin.runs("get-online-users-list", max_items="none"), "onlineuserjids")
    assert {"romeo@h", "juliet@h", "nurse@h"} <= set(online)
    active = field(admin.runs("get-active-users", max_items="none"), "activeuserjids")
    idle = field(admin.runs("get-idle-users", max_items="none"), "idleuserjids")
    assert "romeo@h" in active
    assert "romeo@h" not in idle
    assert "juliet@h" in idle
    assert sorted(active + idle) == online
    for name, var, least in (
        ("get-registered-users-num", "registeredusersnum", 3),
        ("get-online-users-num", "onlineusersnum", 3),
        ("get-active-users-num", "activeusersnum", 2),
        ("get-idle-users-num", "idleusersnum", 1),
    ):
        assert int(field(admin.runs(name), var)[0]) >= least


@pytest.mark.parametrize("most", ["0", "-1", "many", "100000"])
def test_a_list_of_a_strange_length_is_refused(admin, most):
    assert errors(admin.runs("get-registered-users-list", max_items=most))


def test_last_login_and_statistics(cast, admin):
    romeo = cast("romeo/orchard")
    cast.world.store.accounts.delete("tybalt", "tybalt@h")
    cast.account("tybalt")
    done = admin.runs("get-user-lastlogin", accountjids=["romeo@h", "tybalt@h"])
    login, never = field(done, "lastlogin")
    assert login.endswith("Z")
    assert never == "never"
    romeo.settle()
    done = admin.runs("user-stats", accountjid="romeo@h")
    assert field(done, "rostersize") == ["0"]
    assert field(done, "onlineresources") == ["orchard"]


# -- notices -----------------------------------------------------------------------------------


@pytest.fixture
def quiet(admin):
    """Nothing is announced before and after."""
    yield
    admin.client.forget()
    for name in ("delete-motd", "delete-welcome"):
        assert succeeded(admin.runs(name))


def test_an_announcement_reaches_who_is_here(cast, admin):
    romeo = cast("romeo")
    assert succeeded(admin.runs("announce", announcement=["The prince", "is coming"]))
    romeo.receives("<message from='h' type='headline'><body>The prince\nis coming</body></message>")
    begun = admin.begins("announce")
    admin.submits("announce", begun.get("sessionid"), {"announcement": ""})
    admin.client.receives(refused("bad-request", "modify", "bad-payload"))
    romeo.receives_nothing()


def test_the_message_of_the_day_reaches_everybody_once(cast, nurse, admin, quiet):
    romeo = cast("romeo/orchard")
    cast.account("juliet")
    assert succeeded(admin.runs("set-motd", motd=["A feast", "tonight"]))
    romeo.receives("<message from='h'><body>A feast\ntonight</body></message>")
    phone = cast("romeo/phone")
    phone.receives_nothing()
    romeo.forget()
    assert field(admin.begins("edit-motd"), "motd") == ["A feast", "tonight"]
    assert succeeded(admin.runs("edit-motd", motd="A mask tonight"))
    romeo.receives_nothing()
    juliet = cast.log_in("juliet")
    juliet.sends("<presence/>")
    juliet.receives("<presence/>", "<message from='h'><body>A mask tonight</body></message>")
    juliet.leaves()
    juliet = cast.log_in("juliet")
    juliet.sends("<presence/>")
    juliet.receives("<presence/>")
    juliet.receives_nothing()
    assert succeeded(admin.runs("delete-motd"))
    assert field(admin.begins("edit-motd"), "motd") == []


def test_who_comes_for_the_first_time_is_welcomed_once(cast, admin, quiet):
    cast("romeo").leaves()
    assert succeeded(admin.runs("set-welcome", welcome="Well met"))
    romeo = cast.log_in("romeo")
    romeo.sends("<presence/>")
    romeo.receives("<presence/>")
    romeo.receives_nothing()
    juliet = cast.log_in("juliet")
    juliet.sends("<presence/>")
    juliet.receives("<presence/>", "<message from='h'><body>Well met</body></message>")
    juliet.leaves()
    juliet = cast.log_in("juliet")
    juliet.sends("<presence/>")
    juliet.receives("<presence/>")
    juliet.receives_nothing()


def test_an_administrator_may_give_any_name_and_is_told_what_it_is_taken_for(cast, admin):
    cast.account("romeo")
    accounts = cast.world.store.accounts
    for name, said in (("rorneo", "looks like romeo"), ("postmaster", "office"), ("tybalt", "")):
        accounts.delete(name, f"{name}@h")
        given = {"accountjid": f"{name}@h", "password": "x", "password_verify": "x"}
        done = admin.runs("add-user", **given)
        assert accounts.exists(name)
        notes = [note.text for note in done.findall(f"{{{COMMANDS}}}note")]
        assert len(notes) == bool(said)
        assert said in "".join(notes)
        accounts.delete(name, f"{name}@h")
