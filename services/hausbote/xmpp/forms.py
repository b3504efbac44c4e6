"""Data forms (XEP-0004), whose fields have the names of their FORM_TYPE (XEP-0068)."""

from collections.abc import Iterable
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


class Form(NamedTuple):
    """A form as somebody filled it in: its type (submit, cancel ...), FORM_TYPE and values."""

    type: str
    form_type: str
    values: dict[str, list[str]]

    def value(self, var: str) -> str | None:
        """The first value of a field."""
        values = self.values.get(var)
        return values[0] if values else None


def write(type: str, form_type: str, fields: Iterable[Field], *head: Markup) -> Markup:
    """A form or a result; `head` is its title and the like."""
    kind = el("field", el("value", form_type), var="FORM_TYPE", type="hidden")
    return el(
        "x", *head, kind, *[_field(field) for field in fields], xmlns=ns.DATA_FORMS, type=type
    )


def _field(field: Field) -> Markup:
    values = [el("value", value) for value in field.values]
    options = [el("option", el("value", value), label=label) for value, label in field.options]
    return el("field", *values, *options, var=field.var, type=field.type, label=field.label)


def read(parent: Tree) -> Form | None:
    """The form among the children of an element, None without one."""
    x = parent.find(_X)
    return None if x is None else read_form(x)


def read_form(x: Tree) -> Form:
    """The form that this element is."""
    values: dict[str, list[str]] = {}
    for field in x.findall(_FIELD):
        var = field.get("var")
        if var is not None:
            values[var] = [value.text or "" for value in field.findall(_VALUE)]
    kind = values.pop("FORM_TYPE", [])
    return Form(x.get("type", ""), kind[0] if kind else "", values)


def truth(value: str) -> bool | None:
    """A boolean as XML Schema writes it; None if it is none."""
    return {"1": True, "true": True, "0": False, "false": False}.get(value)
