"""How a room is set up: its settings, and the form in which owners see them
(XEP-0045 §10.2, §15.5.3)."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final, NamedTuple

from hausbote.rooms.privileges import Role
from hausbote.xmpp.data_form import Field, FilledForm, truth
from hausbote.xmpp.errors import NotAcceptable

_MAX_TEXT: Final = 1_000  # characters of a name, a description ...
_MAX_PASSWORD: Final = 200
_EVERYBODY: Final = ("moderator", "participant", "visitor")
KINDS: Final = ("group", "channel", "open")


class Hat(NamedTuple):
    """A hat (XEP-0317); where it says who wears one, `title` is their address."""

    uri: str
    title: str
    hue: str = ""


@dataclass(frozen=True)
class Configuration:
    """A room's settings; `max_users` and `max_history` never go beyond those of the box.

    `logged` means that everybody who is not banned may read the archive.  `announced` are the roles
    whose presence others see, `listed_to` those that may see the list of members.
    """

    name: str = ""
    description: str = ""
    language: str = ""
    public: bool = True
    persistent: bool = False
    members_only: bool = False
    moderated: bool = False
    password: str = ""
    protected: bool = False
    anonymous: bool = True
    subject_by_all: bool = False
    invitations_by_members: bool = False
    private_messages: str = "anyone"
    announced: tuple[str, ...] = _EVERYBODY
    listed_to: tuple[str, ...] = _EVERYBODY
    max_users: int = 0
    max_history: int = 20
    archived: bool = True
    logged: bool = False
    registration: bool = True
    forward_mentions: bool = False
    locked_nicks: bool = False
    pubsub: str = ""
    hats: tuple[Hat, ...] = ()
    worn: tuple[Hat, ...] = ()
    circle: str = ""  # the group of contacts whose room it is; made by the hausbote command

    def pack(self) -> str:
        """As text for the store: what differs from the defaults."""
        default = asdict(Configuration())
        return json.dumps({k: v for k, v in asdict(self).items() if v != default[k]})

    @classmethod
    def unpack(cls, text: str) -> "Configuration":
        known = {field.name for field in fields(cls)}
        values: dict[str, Any] = {k: v for k, v in json.loads(text).items() if k in known}
        for key, value in values.items():
            if isinstance(value, list):
                values[key] = tuple([Hat(*v) if isinstance(v, list) else v for v in value])
        return cls(**values)

    @property
    def closed(self) -> bool:
        """Whether not everybody can just go in: it is for members, or has a password."""
        return self.members_only or self.protected

    def announces(self, role: Role) -> bool:
        """Whether others see presence of somebody with that role."""
        return role.word in self.announced

    def may_send_privately(self, role: Role) -> bool:
        least = {
            "anyone": Role.VISITOR,
            "participants": Role.PARTICIPANT,
            "moderators": Role.MODERATOR,
        }
        needed = least.get(self.private_messages)
        return needed is not None and role >= needed


def of_kind(kind: str) -> Configuration:
    """A private group: for members, who see each other's addresses; a public channel: for
    everybody, who see no addresses; or a room that is open to whoever knows its name."""
    if kind == "group":
        return Configuration(
            public=False,
            persistent=True,
            members_only=True,
            anonymous=False,
            subject_by_all=True,
            invitations_by_members=True,
            forward_mentions=True,
        )
    if kind == "channel":
        return Configuration(persistent=True, listed_to=("moderator",))
    return Configuration()


_DECIDED: Final = [
    field.name
    for field in fields(Configuration)
    if len({getattr(of_kind(kind), field.name) for kind in KINDS}) > 1
]


def _deciding(kind: str) -> dict[str, Any]:
    """What a kind says of the settings in which kinds differ."""
    configuration = of_kind(kind)
    return {setting: getattr(configuration, setting) for setting in _DECIDED}


def kind_of(configuration: Configuration) -> str:
    """Which of the kinds a room is; "" if its owners chose something else."""
    for kind in KINDS:
        decided = _deciding(kind)
        if all(getattr(configuration, setting) == value for setting, value in decided.items()):
            return kind
    return ""


# -- the form ----------------------------------------------------------------------------------


class _Entry(NamedTuple):
    """A field: which setting it is, and how it is written and read."""

    setting: str
    type: str
    label: str
    write: Callable[[Any], tuple[str, ...]]
    read: Callable[[str, list[str]], Any]
    options: tuple[tuple[str, str], ...] = ()

    def field(self, var: str, values: tuple[str, ...]) -> Field:
        """As an owner sees it: what was chosen can be chosen again."""
        options = self.options
        if options:
            known = {value for value, _ in options}
            options = (*options, *[(value, value) for value in values if value not in known])
        return Field(var, values, self.type, self.label, options)


def _one(values: list[str]) -> str:
    return values[0] if values else ""


def _read_text(var: str, values: list[str]) -> str:
    text = "\n".join(values).strip()
    if len(text) > _MAX_TEXT:
        raise NotAcceptable(f"{var} is too long")
    return text


def _read_password(var: str, values: list[str]) -> str:
    password = _one(values).strip()  # as it is read from presence
    if len(password) > _MAX_PASSWORD:
        raise NotAcceptable(f"{var} is too long")
    return password


def _read_switch(var: str, values: list[str]) -> bool:
    value = truth(_one(values))
    if value is None:
        raise NotAcceptable(f"{var} is a truth value")
    return value


def _read_number(var: str, values: list[str]) -> int:
    text = _one(values).strip()
    if text in ("", "none", "unlimited"):
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise NotAcceptable(f"{var} is a number")
    return int(text)


def _read_roles(var: str, values: list[str]) -> tuple[str, ...]:
    # "none" and affiliations are what some clients offer; they mean nobody and moderators here.
    words = {"none": "", "owner": "moderator", "admin": "moderator", "member": "participant"}
    chosen = {words.get(value, value) for value in values} - {""}
    if not chosen <= set(_EVERYBODY):
        raise NotAcceptable(f"{var} has roles for values")
    return tuple(role for role in _EVERYBODY if role in chosen)


def _text(setting: str, label: str, type: str = "text-single") -> _Entry:
    return _Entry(setting, type, label, lambda value: (value,) if value else (), _read_text)


def _switch(setting: str, label: str) -> _Entry:
    return _Entry(setting, "boolean", label, lambda on: ("1" if on else "0",), _read_switch)


def _roles(setting: str, label: str) -> _Entry:
    options = tuple((word, word.capitalize()) for word in _EVERYBODY)
    return _Entry(setting, "list-multi", label, lambda roles: tuple(roles), _read_roles, options)


_WHOIS: Final = {"moderators": True, "anyone": False}
_PRIVATE: Final = {
    "anyone": "Anyone",
    "participants": "Anyone with voice",
    "moderators": "Moderators only",
    "none": "Nobody",
}
_SIZES: Final = ("10", "20", "30", "50", "100", "200", "500", "1000")


def _read_whois(var: str, values: list[str]) -> bool:
    if _one(values) not in _WHOIS:
        raise NotAcceptable(f"{var} is moderators or anyone")
    return _WHOIS[_one(values)]


def _read_private(var: str, values: list[str]) -> str:
    if _one(values) not in _PRIVATE:
        raise NotAcceptable(f"{var} is one of {', '.join(_PRIVATE)}")
    return _one(values)


_PREFIX: Final = "muc#roomconfig_"
_ENTRIES: Final[dict[str, _Entry]] = {
    f"{_PREFIX}roomname": _text("name", "Name of the room"),
    f"{_PREFIX}roomdesc": _text("description", "What it is for"),
    f"{_PREFIX}lang": _text("language", "Language of the talk"),
    f"{_PREFIX}publicroom": _switch("public", "May people find it?"),
    f"{_PREFIX}persistentroom": _switch("persistent", "Does it stay when everybody has left?"),
    f"{_PREFIX}membersonly": _switch("members_only", "Only for members?"),
    f"{_PREFIX}moderatedroom": _switch("moderated", "Do newcomers need to be given voice?"),
    f"{_PREFIX}passwordprotectedroom": _switch("protected", "Is a password needed?"),
    f"{_PREFIX}roomsecret": _Entry(
        "password",
        "text-private",
        "The password",
        lambda value: (value,) if value else (),
        _read_password,
    ),
    f"{_PREFIX}whois": _Entry(
        "anonymous",
        "list-single",
        "Who sees people's real addresses?",
        lambda anonymous: ("moderators" if anonymous else "anyone",),
        _read_whois,
        (("moderators", "Moderators only"), ("anyone", "Anyone")),
    ),
    f"{_PREFIX}changesubject": _switch("subject_by_all", "May occupants change the subject?"),
    f"{_PREFIX}allowinvites": _switch("invitations_by_members", "May members invite others?"),
    f"{_PREFIX}allowpm": _Entry(
        "private_messages",
        "list-single",
        "Who may send private messages?",
        lambda value: (value,),
        _read_private,
        tuple(_PRIVATE.items()),
    ),
    f"{_PREFIX}presencebroadcast": _roles("announced", "Whose presence do others see?"),
    f"{_PREFIX}getmemberlist": _roles("listed_to", "Who may see the list of members?"),
    f"{_PREFIX}maxusers": _Entry(
        "max_users",
        "list-single",
        "How many may be there at once?",
        lambda value: (str(value) if value else "none",),
        _read_number,
        (*((size, size) for size in _SIZES), ("none", "None")),
    ),
    "muc#maxhistoryfetch": _Entry(
        "max_history",
        "text-single",
        "How many earlier messages do newcomers get?",
        lambda value: (str(value),),
        _read_number,
    ),
    f"{_PREFIX}enablearchiving": _switch("archived", "Are messages kept for those who were away?"),
    f"{_PREFIX}enablelogging": _switch("logged", "May everybody read what was kept?"),
    f"{_PREFIX}forwardmentions": _switch(
        "forward_mentions", "Do members who are away get messages that speak to them?"
    ),
    "hausbote#registration": _switch("registration", "May people register as members?"),
    "hausbote#locked_nicks": _switch(
        "locked_nicks", "Do people have the nicks that they registered, and no others?"
    ),
    f"{_PREFIX}pubsub": _text("pubsub", "Address of its publish-subscribe node"),
}
_KIND: Final = "hausbote#kind"
_KIND_LABELS: Final = {
    "": "As chosen below",
    "group": "Private group: members only, who see each other's addresses",
    "channel": "Public channel: everybody finds it, addresses are hidden",
    "open": "Open to whoever knows its name, while somebody is there",
}
ADMINS: Final = f"{_PREFIX}roomadmins"
OWNERS: Final = f"{_PREFIX}roomowners"


def form_fields(
    configuration: Configuration, admins: list[str], owners: list[str]
) -> tuple[Field, ...]:
    """All of it, as owners see it."""
    values = asdict(configuration)
    shown = [
        entry.field(var, entry.write(values[entry.setting])) for var, entry in _ENTRIES.items()
    ]
    kinds = tuple(_KIND_LABELS.items())
    return (
        Field(_KIND, (kind_of(configuration),), "list-single", "What kind of room is it?", kinds),
        *shown,
        Field(ADMINS, tuple(admins), "jid-multi", "Admins"),
        Field(OWNERS, tuple(owners), "jid-multi", "Owners"),
    )


def filled_in(configuration: Configuration, form: FilledForm) -> Configuration:
    """The configuration after a form; fields that we do not know are ignored (XEP-0004 §3.3),
    NotAcceptable for values that cannot be.

    Who chooses a kind gets it, but for what they changed themselves.
    """
    changes = {
        entry.setting: entry.read(var, form.values[var])
        for var, entry in _ENTRIES.items()
        if var in form.values
    }
    kind = _one(form.values.get(_KIND, []))
    if kind not in _KIND_LABELS:
        raise NotAcceptable(f"{_KIND} is one of {', '.join(KINDS)}")
    if kind:
        changes = {k: v for k, v in changes.items() if v != getattr(configuration, k)}
        changes = _deciding(kind) | changes
    changed = replace(configuration, **changes)
    if changed.protected and not changed.password:
        raise NotAcceptable("a room with a password needs one")
    return changed
