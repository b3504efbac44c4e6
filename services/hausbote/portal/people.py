"""Names and passwords as they are typed into forms."""

from typing import Final

from hausbote.base.jid import JID, InvalidJID, prepare_local, prepare_password
from hausbote.portal.visit import Visit
from hausbote.xmpp.sasl import ScramKeys, keys_for

SHORTEST: Final = 10  # characters of a password
_LONGEST: Final = 1_023  # bytes


class Wrong(Exception):
    """What is wrong with a field, as a sentence beside it."""


def name(visit: Visit, field: str = "name") -> str:
    """The local part of an address here: what was typed may be the whole address."""
    typed = visit.field(field)
    domain = visit.box.settings.domain
    if not typed:
        raise Wrong(visit.say("Choose a name."))
    try:
        if "@" in typed:
            jid = JID.parse(typed)
            if jid.domain != domain or jid.resource:
                raise Wrong(visit.say("Addresses here end with @%(domain)s.", domain=domain))
            typed = jid.local
        return prepare_local(typed)
    except InvalidJID:
        raise Wrong(visit.say("Use letters, digits, dots and hyphens.")) from None


def new_password(visit: Visit, field: str = "password") -> str:
    typed = visit.form.get(field, "")
    if len(typed) < SHORTEST:
        raise Wrong(visit.say("Take at least ten characters: three or four words are good."))
    try:
        prepared = prepare_password(typed)
    except InvalidJID:
        raise Wrong(visit.say("There is a character in it that no password can have.")) from None
    if len(prepared.encode()) > _LONGEST:
        raise Wrong(visit.say("That is too long."))
    return prepared


def name_and_password(visit: Visit, *, named: bool = True) -> tuple[str, str, dict[str, str]]:
    """What somebody who gets an account has typed, and what is wrong with it, by field; without
    `named` no name is asked for."""
    wrong: dict[str, str] = {}
    local = password = ""
    try:
        local = name(visit) if named else ""
    except Wrong as problem:
        wrong["name"] = str(problem)
    try:
        password = new_password(visit)
    except Wrong as problem:
        wrong["password"] = str(problem)
    return local, password, wrong


def keys(visit: Visit, password: str) -> dict[str, ScramKeys]:
    """What is kept of a password; takes a while, in a thread."""
    found: dict[str, ScramKeys] = visit.box.compute(keys_for, password)
    return found


def browser(visit: Visit) -> tuple[str, str]:
    """What a browser is called in the list of devices: its own name, and that of its system."""
    agent = visit.request.headers.get("User-Agent", "")
    names = (("Firefox", "Firefox"), ("Edg", "Edge"), ("Chrom", "Chrome"), ("Safari", "Safari"))
    systems = (
        ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
        ("Mac OS", "macOS"), ("Linux", "Linux"),
    )  # fmt: skip
    name = next((shown for part, shown in names if part in agent), "Browser")
    return f"Portal ({name})", next((shown for part, shown in systems if part in agent), "")
