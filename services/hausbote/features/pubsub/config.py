"""A node's configuration: its fields, their defaults, and the forms in which they travel.

What is stored is only what differs from the defaults of its kind of service.
"""

import re
from contextlib import suppress
from typing import Final, NamedTuple

from hausbote.features.pubsub import errors
from hausbote.storage.pubsub import Config
from hausbote.xmpp import ns
from hausbote.xmpp.data_form import DataForm, Field, FilledForm, truth
from hausbote.xmpp.errors import BadRequest, NotAcceptable, StanzaError
from hausbote.xmpp.xml import Markup

ACCESS_MODELS: Final = ("authorize", "open", "presence", "roster", "whitelist")
_MAX_TEXT: Final = 1_000  # characters of one value
_MAX_VALUES: Final = 100  # of a field with several


class _Kind(NamedTuple):
    """How a field is filled in; `personal` is the default at accounts, `general` elsewhere.  If it
    is `open`, other values than the choices are taken, too."""

    type: str
    label: str
    personal: tuple[str, ...]
    general: tuple[str, ...]
    choices: tuple[str, ...] = ()
    open: bool = False


def _choice(label: str, personal: str, general: str, *choices: str) -> _Kind:
    return _Kind("list-single", label, (personal,), (general,), choices)


def _switch(label: str, default: bool) -> _Kind:
    values = ("1",) if default else ("0",)
    return _Kind("boolean", label, values, values)


def _text(label: str, personal: str = "", general: str = "") -> _Kind:
    return _Kind("text-single", label, (personal,), (general,))


# A list of languages to choose from (XEP-0060 §5.4); whoever speaks another one writes its tag.
_LANGUAGES: Final = (
    *("ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "eu", "fa", "fi", "fr"),
    *("ga", "gl", "he", "hi", "hr", "hu", "id", "is", "it", "ja", "ko", "lt", "lv", "mt", "nb"),
    *("nl", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sr", "sv", "sw", "ta", "th", "tr", "uk"),
    *("ur", "vi", "zh"),
)
_FIELDS: Final[dict[str, _Kind]] = {
    "title": _text("A friendly name for the node"),
    "description": _text("What the node is for"),
    "type": _text("The namespace of what is published"),
    "language": _Kind(
        "list-single", "The language of what is published", ("",), ("",), _LANGUAGES, open=True
    ),
    "contact": _Kind("jid-multi", "Whom to ask about the node", (), ()),
    "node_type": _choice("The kind of node", "leaf", "leaf", "leaf"),
    "access_model": _choice(
        "Who may subscribe and retrieve items", "presence", "open", *ACCESS_MODELS
    ),
    "roster_groups_allowed": _Kind("text-multi", "Groups of contacts who may do so", (), ()),
    "publish_model": _choice(
        "Who may publish", "publishers", "publishers", "publishers", "subscribers", "open"
    ),
    "subscribe": _switch("Whether people may subscribe", True),
    "persist_items": _switch("Whether items are kept", True),
    "max_items": _text("How many items are kept: a number or max", "1", "20"),
    "item_expire": _text("For how many seconds items are kept: a number or max", "max", "max"),
    "publish_node_full": _choice(
        "What happens when the node is full",
        "retract-oldest",
        "retract-oldest",
        "retract-oldest",
        "discard-oldest",
        "reject",
    ),
    "max_payload_size": _text("Size of the largest item in bytes: a number or empty"),
    "deliver_notifications": _switch("Whether subscribers are told of anything", True),
    "deliver_payloads": _switch("Whether they are told what was published", True),
    "notify_config": _switch("Whether they are told of a new configuration", False),
    "notify_delete": _switch("Whether they are told when the node is deleted", True),
    "notify_retract": _switch("Whether they are told when items are removed", False),
    "notify_sub": _switch("Whether owners are told of new subscribers", False),
    "notification_type": _choice(
        "The type of messages about it", "headline", "headline", "headline", "normal"
    ),
    "send_last_published_item": _choice(
        "When the last item is sent again",
        "on_sub_and_presence",
        "on_sub",
        "never",
        "on_sub",
        "on_sub_and_presence",
    ),
}

_PRIVATE: Final = {"access_model": ["whitelist"]}
_MANY_PRIVATE: Final = _PRIVATE | {
    "max_items": ["max"],
    "send_last_published_item": ["never"],
    "notify_retract": ["1"],
}
# Nodes that are private and nothing else by their specifications, made by clients that forgot to
# say so.
_KNOWN: Final[dict[str, Config]] = {
    ns.BOOKMARKS: _MANY_PRIVATE,
    ns.DISPLAYED: _MANY_PRIVATE,
    ns.CONTACT_VCARDS: _MANY_PRIVATE,
    ns.OLD_BOOKMARKS: _PRIVATE,
}


class NodeConfig:
    """What a node is configured to: `personal` if it is one of an account."""

    __slots__ = ("changed", "personal")

    def __init__(self, personal: bool, changed: Config) -> None:
        self.personal = personal
        self.changed = changed

    def values(self, var: str) -> list[str]:
        found = self.changed.get(var)
        if found is not None:
            return found
        kind = _FIELDS[var]
        return list(kind.personal if self.personal else kind.general)

    def value(self, var: str) -> str:
        values = self.values(var)
        return values[0] if values else ""

    def on(self, var: str) -> bool:
        return self.value(var) == "1"

    def max_items(self, limit: int) -> int:
        """How many items are kept; 0 = no limit.  `limit` is that of the box."""
        if not self.on("persist_items"):
            return 1
        text = self.value("max_items")
        if text == "max":
            return limit
        return min(int(text), limit) if limit else int(text)

    @property
    def expiry(self) -> int:
        """Seconds for which items are kept; 0 = for ever."""
        text = self.value("item_expire")
        return 0 if text == "max" else int(text)

    def max_payload(self, limit: int) -> int:
        """Bytes of the largest item; 0 = no limit."""
        own = int(self.value("max_payload_size") or 0)
        return min(own, limit) if own and limit else own or limit

    def with_form(self, form: FilledForm) -> "NodeConfig":
        """The configuration after a form was filled in; fields that we do not know are ignored
        (XEP-0004 §3.3), wrong values are NotAcceptable."""
        changed = dict(self.changed)
        for var, values in form.values.items():
            name = var.removeprefix("pubsub#")
            if name not in _FIELDS or var == name:
                continue
            changed[name] = _checked(name, values)
        return NodeConfig(self.personal, changed)

    def differs(self, form: FilledForm) -> str | None:
        """The first field of a form that is not so here, or not known."""
        for var, values in form.values.items():
            name = var.removeprefix("pubsub#")
            if name not in _FIELDS or var == name:
                return var
            if sorted(_checked(name, values)) != sorted(self.values(name)):
                return var
        return None

    def form(self, type: str = "form") -> Markup:
        """All of it as a form, or as a result."""
        return DataForm(ns.PUBSUB_CONFIG, tuple(self._field(name) for name in _FIELDS)).markup(type)

    def plain_form(self) -> Markup:
        """All of it, without what a person needs to fill it in."""
        fields = [self._field(name)._replace(label=None, options=()) for name in _FIELDS]
        return DataForm(ns.PUBSUB_CONFIG, tuple(fields)).markup("form")

    def with_what_fits(self, form: FilledForm) -> "NodeConfig":
        """The configuration by a form of another server: what cannot be here stays as it is, and
        a strange access model lets nobody in."""
        config = self
        for var, values in form.values.items():
            with suppress(StanzaError):
                config = config.with_form(form._replace(values={var: values}))
        model = form.value("pubsub#access_model")
        if model is not None and model not in ACCESS_MODELS:
            config = NodeConfig(self.personal, config.changed | {"access_model": ["whitelist"]})
        return config

    def _field(self, name: str) -> Field:
        kind = _FIELDS[name]
        values = tuple(self.values(name))
        more = [one for one in values if kind.open and one and one not in kind.choices]
        options = tuple((choice, choice) for choice in (*kind.choices, *more))
        return Field(f"pubsub#{name}", values, kind.type, kind.label, options)

    def metadata(self) -> list[Field]:
        """What everybody may know who may know the node (XEP-0060 §5.4)."""
        shown = ("title", "description", "type", "language", "access_model", "publish_model")
        fields = [self._field(name) for name in (*shown, "max_items", "item_expire")]
        return [field._replace(label=None, options=()) for field in fields if any(field.values)]


def default(personal: bool, name: str = "") -> NodeConfig:
    """Of a new node with that name."""
    known = _KNOWN.get(name, {}) if personal else {}
    return NodeConfig(personal, {var: list(values) for var, values in known.items()})


def checked_form(form: FilledForm | None, form_type: str) -> FilledForm:
    """The form if it is a filled-in one of that FORM_TYPE, which may be missing."""
    if form is None or form.type != "submit" or form.form_type not in (form_type, ""):
        raise BadRequest("a form of another kind is needed here")
    return form


def _checked(name: str, values: list[str]) -> list[str]:
    kind = _FIELDS[name]
    if len(values) > _MAX_VALUES or any(len(value) > _MAX_TEXT for value in values):
        raise NotAcceptable(f"too much for pubsub#{name}")
    if kind.type.endswith("-multi"):
        return [value for value in values if value]
    value = values[0] if values else ""
    if kind.type == "boolean":
        truth_value = truth(value)
        if truth_value is None:
            raise NotAcceptable(f"pubsub#{name} is a truth value")
        return ["1" if truth_value else "0"]
    if kind.choices and not kind.open and value not in kind.choices:
        if name == "access_model":
            raise errors.wrong_access_model()
        if (name, value) == ("node_type", "collection"):
            raise errors.unsupported("collections")
        raise NotAcceptable(f"pubsub#{name} is one of {', '.join(kind.choices)}")
    if name == "max_items" and not re.fullmatch(r"max|[1-9][0-9]{0,8}", value):
        raise NotAcceptable("pubsub#max_items is a number or max")
    if name == "max_payload_size" and not re.fullmatch(r"|[1-9][0-9]{0,8}", value):
        raise NotAcceptable("pubsub#max_payload_size is a number")
    if name == "item_expire" and not re.fullmatch(r"max|[1-9][0-9]{0,8}", value):
        raise NotAcceptable("pubsub#item_expire is a number or max")
    return [value]
