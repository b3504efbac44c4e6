"""The portal's sentences: collects them, and compiles what is translated; needs Babel.

    .venv/bin/python tools/translations.py

New sentences stand in locale/LANGUAGE/LC_MESSAGES/portal.po without a translation afterwards, those
that nobody says any more are gone.  A test says which are missing.
"""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

PORTAL = Path(__file__).resolve().parent.parent / "services" / "hausbote" / "portal"
_ALWAYS = datetime(2026, 1, 1, tzinfo=UTC)  # so that a file changes only with its content
LANGUAGES = ("de",)
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2.ext.babel_extract")]
OPTIONS = {"**/templates/**.html": {"trimmed": "true", "newstyle_gettext": "true"}}
KEYWORDS = {
    "_": None, "gettext": None, "ngettext": (1, 2), "say": None, "count": (1, 2), "_reason": None,
}  # fmt: skip


def path_of(language: str, end: str = "po") -> Path:
    return PORTAL / "locale" / language / "LC_MESSAGES" / f"portal.{end}"


def sentences() -> Catalog:
    """All that the portal says, without the lines where it does."""
    found = Catalog(project="Hausbote", charset="utf-8")
    places = extract_from_dir(PORTAL, METHODS, OPTIONS, keywords=KEYWORDS)
    for _file, _line, message, _comments, _context in sorted(places, key=lambda one: str(one[2])):
        found.add(message, locations=())
    return found


def read(language: str) -> Catalog:
    path = path_of(language)
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def updated(language: str) -> Catalog:
    """Its catalogue with today's sentences."""
    old, new = read(language), Catalog(locale=language, project="Hausbote", charset="utf-8")
    for message in sentences():
        if message.id:
            kept = old.get(message.id)
            new.add(message.id, kept.string if kept is not None else None)
    return new


def compiled(catalogue: Catalog) -> bytes:
    """The .mo file; only what is translated is in it."""
    out, pure = BytesIO(), Catalog(locale=catalogue.locale, header_comment="")
    for message in catalogue:
        if message.id:
            pure.add(message.id, message.string)
    pure.creation_date = pure.revision_date = _ALWAYS  # the same file each time
    write_mo(out, pure)
    return out.getvalue()


def written(catalogue: Catalog) -> bytes:
    """The .po file."""
    out = BytesIO()
    catalogue.header_comment = (
        "# What the portal says, in German: written anew, not translated word by word."
    )
    catalogue.creation_date = catalogue.revision_date = _ALWAYS
    write_po(out, catalogue, width=100, sort_output=True, no_location=True, omit_header=False)
    return out.getvalue()


def main() -> None:
    for language in LANGUAGES:
        catalogue = updated(language)
        path_of(language).parent.mkdir(parents=True, exist_ok=True)
        path_of(language).write_bytes(written(catalogue))
        path_of(language, "mo").write_bytes(compiled(catalogue))
        missing = [message for message in catalogue if message.id and not message.string]
        print(f"{language}: {len(catalogue)} sentences, {len(missing)} without a translation")


if __name__ == "__main__":
    main()
