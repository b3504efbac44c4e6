"""A whole form of ours: what is in it, whichever way it is shown (XEP-0004, XEP-0068)."""

from dataclasses import dataclass

from hausbote.xmpp.forms import Field, write
from hausbote.xmpp.xml import Markup, el


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
        """The <x/> element: "form" to fill in, "result" to read."""
        head = [
            el(name, text)
            for name, text in (("title", self.title), ("instructions", self.instructions))
            if text
        ]
        inside = [self.inside] if self.inside is not None else []
        return write(type, self.form_type, self.fields, *head, *inside)

    def verified(self) -> list[str]:
        """What of it goes into the hash of capabilities (XEP-0115 §5.1)."""
        parts = [self.form_type]
        for field in sorted(self.fields, key=lambda field: field.var):
            parts += [field.var, *sorted(field.values)]
        return parts
