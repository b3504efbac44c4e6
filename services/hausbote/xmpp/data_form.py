"""Data forms (XEP-0004), whose fields have the names of their FORM_TYPE (XEP-0068).

`DataForm` is one of ours, to be shown; `FilledForm` is what somebody sent.
"""

from dataclasses import dataclass
from typing import NamedTuple

from hausbote.xmpp import ns
from hausbote.xmpp.xml import Markup, Tree, el

_X = f"{{{ns.DATA_FORMS}}}x"
_FIELD = f"{{{ns.DATA_FORMS}}}field"
_VALUE = f"{{{ns.DATA_FORMS}}}value"


class Field(NamedTuple):
    """A field of a form of ours; `options` are (value, label)."""

    var: str
    values: tuple[str, ...]
    type: str = "text-single"
    label: str | None = None
    options: tuple[tuple[str, str], ...] = ()
    required: bool = False

    def markup(self) -> Markup:
        return el(
            "field",
            el("required") if self.required else None,
            *[el("value", value) for value in self.values],
            *[el("option", el("value", value), label=label) for value, label in self.options],
            var=self.var,
            type=self.type,
            label=self.label,
        )


@dataclass(frozen=True)
class DataForm:
    """A form whose fields mean what `form_type` says.

    `inside` is other XML in the form, which XEP-0133 wants in one place.
    """

    form_type: str
    fields: tuple[Field, ...]
    title: str | None = None
    instructions: str | None = None
    inside: Markup | None = None

    def markup(self, type: str) -> Markup:
        """The <x/> element: "form" to fill in, "submit" filled in, "result" to read."""
        return el(
            "x",
            el("title", self.title) if self.title else None,
            el("instructions", self.instructions) if self.instructions else None,
            self.inside,
            el("field", el("value", self.form_type), var="FORM_TYPE", type="hidden"),
            *[field.markup() for field in self.fields],
            xmlns=ns.DATA_FORMS,
            type=type,
        )

    def verified(self) -> list[str]:
        """What of it goes into the hash of capabilities (XEP-0115 §5.1)."""
        parts = [self.form_type]
        for field in sorted(self.fields, key=lambda field: field.var):
            parts += [field.var, *sorted(field.values)]
        return parts


class FilledForm(NamedTuple):
    """A form as somebody filled it in: its type (submit, cancel ...), FORM_TYPE and values."""

    type: str
    form_type: str
    values: dict[str, list[str]]

    def value(self, var: str) -> str | None:
        """The first value of a field."""
        values = self.values.get(var)
        return values[0] if values else None


def form_in(parent: Tree) -> FilledForm | None:
    """The form among the children of an element, None without one."""
    x = parent.find(_X)
    return None if x is None else read_form(x)


def read_form(x: Tree) -> FilledForm:
    """The form that this element is."""
    values: dict[str, list[str]] = {}
    for field in x.findall(_FIELD):
        var = field.get("var")
        if var is not None:
            values[var] = [value.text or "" for value in field.findall(_VALUE)]
    kind = values.pop("FORM_TYPE", [])
    return FilledForm(x.get("type", ""), kind[0] if kind else "", values)


def truth(value: str) -> bool | None:
    """A boolean as XML Schema writes it; None if it is none."""
    return {"1": True, "true": True, "0": False, "false": False}.get(value)
