"""python -m hausbote.cli.standards DIRECTORY: writes xeps.md and hausbote.doap (XEP-0453).

Both are made of what the features of all services declare.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from hausbote import moving
from hausbote.c2s import service as c2s
from hausbote.cli.xep_titles import TITLES
from hausbote.core.feature import Feature
from hausbote.rooms import service as rooms
from hausbote.s2s import service as s2s
from hausbote.upload import service as upload
from hausbote.xmpp.xml import Markup, el

SERVICES: Final = {
    "c2s": c2s.FEATURES,
    "rooms": rooms.FEATURES,
    "s2s": s2s.FEATURES,
    "upload": (*upload.FEATURES, *upload.PROXY_FEATURES),
    "command": (moving.feature,),
}
RFCS: Final = (
    "6120", "6121", "7590", "7622", "5802", "7677", "5929", "9266", "9525", "7673", "8305",
)  # fmt: skip
_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DOAP: Final = "http://usefulinc.com/ns/doap#"
_XMPP: Final = "https://linkmauve.fr/ns/xmpp-doap#"
_HEAD: Final = """\
# Standards

Made by `make docs` from what the features declare; `docs/hausbote.doap` says the same to machines.
The version is that of the text which was read; "in part" says what of it there is not.

RFCs: {rfcs}.

| XEP | title | version | services | parts |
|---|---|---|---|---|
"""


class Standard(NamedTuple):
    """One XEP: where it is, and what of it is missing, if anything."""

    number: str
    version: str
    services: tuple[str, ...]
    parts: tuple[str, ...]
    missing: str


def standards() -> list[Standard]:
    """All XEPs by number; ValueError if two features read different versions of one."""
    numbers = sorted({n for _, feature in _features() for n in feature.xeps})
    return [_standard(number) for number in numbers]


def _features() -> Iterator[tuple[str, Feature]]:
    for service, features in SERVICES.items():
        for feature in features:
            yield service, feature


def _standard(number: str) -> Standard:
    found = [(service, f) for service, f in _features() if number in f.xeps]
    versions = {feature.xeps[number] for _, feature in found}
    if len(versions) > 1:
        raise ValueError(f"XEP-{number} was read in the versions {', '.join(sorted(versions))}")
    services = tuple(dict.fromkeys(service for service, _ in found))
    parts = tuple(dict.fromkeys(feature.name for _, feature in found))
    missing = {f.partial[number]: None for _, f in found if number in f.partial}
    return Standard(number, versions.pop(), services, parts, "; ".join(missing))


def page() -> str:
    """docs/xeps.md."""
    rfcs = ", ".join(f"[{n}](https://www.rfc-editor.org/rfc/rfc{n})" for n in RFCS)
    return _HEAD.format(rfcs=rfcs) + "".join(_row(one) for one in standards())


def _row(one: Standard) -> str:
    parts = ", ".join(one.parts)
    if one.missing:
        parts += f" (in part: {one.missing})"
    link = f"[{one.number}]({_url(one.number)})"
    cells = (link, TITLES.get(one.number, ""), one.version, ", ".join(one.services), parts)
    return f"| {' | '.join(cells)} |\n"


def _url(number: str) -> str:
    return f"https://xmpp.org/extensions/xep-{number}.html"


def doap() -> str:
    """docs/hausbote.doap."""
    rfcs = [_resource("implements", f"https://xmpp.org/rfcs/rfc{number}.html") for number in RFCS]
    project = el(
        "Project",
        el("name", "Hausbote"),
        el("shortdesc", "A private messenger box: an XMPP server for a household", xml_lang="en"),
        el("programming-language", "Python"),
        el("os", "Linux"),
        _resource("license", "https://spdx.org/licenses/AGPL-3.0-or-later.html"),
        _resource("category", f"{_XMPP}category-server"),
        *rfcs,
        *[_implements(one) for one in standards()],
        xmlns=_DOAP,
    )
    head = f"<rdf:RDF xmlns:rdf='{_RDF}' xmlns:xmpp='{_XMPP}'>"
    lines = f"{head}{project}</rdf:RDF>".replace("><", ">\n<")
    return f"<?xml version='1.0' encoding='UTF-8'?>\n{lines}\n"


def _implements(one: Standard) -> Markup:
    supported = el(
        "xmpp:SupportedXep",
        _resource("xmpp:xep", _url(one.number)),
        el("xmpp:status", "partial" if one.missing else "complete"),
        el("xmpp:version", one.version),
        el("xmpp:note", one.missing, xml_lang="en") if one.missing else None,
    )
    return el("implements", supported)


def _resource(name: str, url: str) -> Markup:
    return Markup(f"<{name} rdf:resource='{url}'/>")


def write(directory: Path) -> None:
    """Write both."""
    (directory / "xeps.md").write_text(page(), "utf-8")
    (directory / "hausbote.doap").write_text(doap(), "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
