"""The hash of XEP-0115 §5.1, worked out from what disco#info says."""

import base64
import hashlib

INFO = "http://jabber.org/protocol/disco#info"
DATA = "jabber:x:data"


def verification(query) -> str:
    parts = sorted(
        "/".join(one.get(part, "") for part in ("category", "type", "{x}lang", "name"))
        for one in query.findall(f"{{{INFO}}}identity")
    )
    parts += sorted(one.get("var") for one in query.findall(f"{{{INFO}}}feature"))
    for type, values in sorted(forms(query).items()):
        parts.append(type)
        for var, many in sorted(values.items()):
            parts += [var, *sorted(many)]
    text = "".join(f"{part}<" for part in parts)
    return base64.b64encode(hashlib.sha1(text.encode()).digest()).decode()


def forms(query) -> dict[str, dict[str, list[str]]]:
    """The forms by FORM_TYPE: the values by field."""
    found = {}
    for form in query.findall(f"{{{DATA}}}x"):
        assert form.get("type") == "result"
        values = {
            field.get("var"): [value.text for value in field.findall(f"{{{DATA}}}value")]
            for field in form.findall(f"{{{DATA}}}field")
        }
        found[values.pop("FORM_TYPE")[0]] = values
    return found
