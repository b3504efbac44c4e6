"""Data forms (XEP-0004): written for clients, and read from what they submit."""

from dataclasses import dataclass
from typing import NamedTuple

from hausbote.xmpp import ns
from hausbote.xmpp.xml import Markup, Tree, el


class Field(NamedTuple):
    """One field; `options` are (label, value), `type` may be left out in results."""

    var: str
    values: tuple[str, ...] = ()
    type: str | None = None
    label: str | None = None
    required: bool = False
    options: tuple[tuple[str, str], ...] = ()

    def markup(self) -> Markup:
        choices = [el("option", el("value", value), label=label) for label, value in self.options]
        values = [el("value", value) for value in self.values]
        required = el("required") if self.required else None
        return el(
            "field", required, *values, *choices, var=self.var, type=self.type, label=self.label
        )


@dataclass(frozen=True)
class DataForm:
    """A form whose fields mean what `form_type` says (XEP-0068); "" leaves that open.

    `inside` is other XML in the form, which XEP-0133 wants in one place.
    """

    form_type: str
    fields: tuple[Field, ...]
    title: str | None = None
    instructions: str | None = None
    inside: Markup | None = None

    def markup(self, type: str) -> Markup:
        """The <x/> element: "form" to fill in, "result" to read, "submit" to send."""
        head = []
        if self.form_type:
            head = [Field("FORM_TYPE", (self.form_type,), "hidden").markup()]
        title = el("title", self.title) if self.title else None
        text = el("instructions", self.instructions) if self.instructions else None
        fields = [field.markup() for field in self.fields]
        return el("x", title, text, *head, *fields, self.inside, xmlns=ns.DATA_FORMS, type=type)

    def verified(self) -> list[str]:
        """What of it goes into the hash of capabilities (XEP-0115 §5.1)."""
        parts = [self.form_type]
        for field in sorted(self.fields, key=lambda field: field.var):
            parts += [field.var, *sorted(field.values)]
        return parts


def read_form(parent: Tree) -> dict[str, tuple[str, ...]] | None:
    """The values by field of the form that is a child of `parent`; None without one."""
    form = parent.find(f"{{{ns.DATA_FORMS}}}x")
    if form is None:
        return None
    values: dict[str, tuple[str, ...]] = {}
    for field in form.findall(f"{{{ns.DATA_FORMS}}}field"):
        texts = [value.text or "" for value in field.findall(f"{{{ns.DATA_FORMS}}}value")]
        values[field.get("var", "")] = tuple(texts)
    return values
