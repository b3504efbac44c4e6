"""Templates and the stylesheet: what all pages have in common."""

import hashlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hausbote.portal import words
from hausbote.portal.language import NAMES, Language
from hausbote.portal.reasons import told

if TYPE_CHECKING:
    from hausbote.portal.visit import Visit

_HERE: Final = Path(__file__).parent
_FILES: Final = {"style.css": "text/css", "portal.js": "text/javascript"}


class Pages:
    """The templates in every language; `secret` seals forms."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self.languages = {tag: Language(tag) for tag in NAMES}
        self.files = dict(_named(name) for name in _FILES)
        self._by_language = {tag: self._environment(one) for tag, one in self.languages.items()}

    def _environment(self, language: Language) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            extensions=["jinja2.ext.i18n"],
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.policies["ext.i18n.trimmed"] = True
        environment.install_gettext_translations(language.catalogue, newstyle=True)  # type: ignore[attr-defined]
        environment.globals.update(
            static={one.name: path for path, one in self.files.items()},
            languages=NAMES,
            size=partial(words.size, language),
            day=partial(words.day, language),
            date=partial(words.date, language),
            spelled=partial(words.spelled, language),
            told=partial(told, language),
        )
        return environment

    def render(self, visit: "Visit", template: str, **values: object) -> str:
        language = visit.language
        environment = self._by_language[language.tag]
        return environment.get_template(template).render(
            visit=visit,
            box=visit.box.settings,
            now=visit.box.clock(),
            language=language.tag,
            **values,
        )


class StaticFile:
    """Its name, type and content; the path that has it names its content, too."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        self.type = _FILES[name]
        self.content = content


def _named(name: str) -> tuple[str, StaticFile]:
    content = (_HERE / "static" / name).read_bytes()
    stem, _, end = name.partition(".")
    digest = hashlib.sha256(content).hexdigest()[:12]
    return f"/static/{stem}.{digest}.{end}", StaticFile(name, content)
