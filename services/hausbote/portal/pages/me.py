"""What belongs to whoever is logged in: devices, password, files, the account itself."""

from functools import partial
from typing import Final

from werkzeug.wrappers import Response

from hausbote.base.portal_logins import Verdict
from hausbote.core.bus import notify
from hausbote.portal import people, sessions
from hausbote.portal.pages.login import let_in
from hausbote.portal.passwords import tried
from hausbote.portal.people import Wrong
from hausbote.portal.visit import SESSION, Refused, Visit

_MOST_FILES: Final = 100  # on the page; the newest


def show(visit: Visit) -> Response:
    store = visit.box.store
    usage = store.usage.accounts(visit.box.settings.domain, visit.local)
    return visit.page(
        "me.html",
        usage=usage[0] if usage else None,
        limit=visit.box.settings.upload.account_bytes,
        devices=len(_devices(visit)),
    )


# -- devices -----------------------------------------------------------------------------------


def _devices(visit: Visit) -> list[object]:
    """Clients that can still get in: they know the password, or have a token."""
    now = visit.box.clock()
    found = visit.box.store.clients.all(visit.local)
    return [one for one in found if one.password or one.tokens_until > now]


def show_devices(visit: Visit) -> Response:
    assert visit.session is not None
    return visit.page("devices.html", devices=_devices(visit), here=visit.session.agent)


def end_device(visit: Visit, ref: str) -> Response:
    gone = visit.box.store.clients.revoke(visit.local, ref)
    if gone is None:
        raise Refused(404, visit.say("There is no such device"), visit.say("Look at the list."))
    visit.box.tell(visit.local, "revoked", agent=gone.agent)
    if visit.session is not None and gone.agent == visit.session.agent:
        visit.cookie(SESSION, "", 0)
        return visit.go("/login", visit.say("You are logged out."))
    if gone.password:
        note = visit.say("It is logged out, but may know the password: change that, too.")
        return visit.go("/me/password", note)
    return visit.go("/me/devices", visit.say("It is logged out."))


# -- password ----------------------------------------------------------------------------------


def show_password(visit: Visit) -> Response:
    return visit.page("password.html", wrong={})


def change_password(visit: Visit) -> Response:
    """All other devices are logged out with the old one."""
    assert visit.session is not None
    wrong: dict[str, str] = {}
    new = ""
    try:
        new = people.new_password(visit, "new")
    except Wrong as problem:
        wrong["new"] = str(problem)
    if not wrong and not _proves(visit, visit.form.get("old", "")):
        wrong["old"] = visit.say("This is not your password.")
    if wrong:
        return visit.page("password.html", 400, wrong=wrong)
    visit.box.store.accounts.set_keys(visit.local, people.keys(visit, new))
    visit.box.tell(visit.local, "password")
    note = visit.say("Your password is changed. Other devices have to log in.")
    return let_in(visit, partial(sessions.renew, visit.box, visit.session), "/me", note)


def _proves(visit: Visit, password: str) -> bool:
    """Counts like a login: a browser that was left open is no place for guessing."""
    assert visit.session is not None
    return tried(visit, visit.local, password, visit.session.agent) is Verdict.IN


# -- files -------------------------------------------------------------------------------------


def show_files(visit: Visit) -> Response:
    files = visit.box.store.uploads.of(visit.local)
    return visit.page(
        "files.html",
        files=files[::-1][:_MOST_FILES],
        count=len(files),
        total=sum(one.size for one in files),
        limit=visit.box.settings.upload.account_bytes,
    )


def delete_file(visit: Visit, id: str) -> Response:
    if not visit.box.store.uploads.delete(visit.local, id):
        raise Refused(404, visit.say("There is no such file"), visit.say("Look at the list."))
    visit.box.compute(notify, visit.box.settings.bus_dir, "upload", {"change": "deleted"})
    return visit.go("/me/files", visit.say("The file is deleted. Links to it lead nowhere now."))


# -- the end -----------------------------------------------------------------------------------


def show_delete(visit: Visit) -> Response:
    return visit.page("delete.html", wrong="", last=_is_last_administrator(visit))


def delete(visit: Visit) -> Response:
    if _is_last_administrator(visit):
        return show_delete(visit)
    if not _proves(visit, visit.form.get("password", "")):
        wrong = visit.say("This is not your password.")
        return visit.page("delete.html", 400, wrong=wrong, last=False)
    local, domain = visit.local, visit.box.settings.domain
    with visit.box.changing_administrators:
        if _is_last_administrator(visit):
            return show_delete(visit)
        visit.box.store.accounts.delete(local, f"{local}@{domain}")
    visit.box.tell(local, "deleted")
    visit.session = None
    visit.cookie(SESSION, "", 0)
    return visit.go("/login", visit.say("Your account is deleted. Goodbye, and thank you."))


def _is_last_administrator(visit: Visit) -> bool:
    return visit.box.store.accounts.admins() == [visit.local]
