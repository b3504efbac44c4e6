"""The page at /chat."""

import html
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from hausbote.base.settings import Settings
from hausbote.webchat.answer import Answer
from hausbote.webchat.assets import FETCHED, Assets
from hausbote.webchat.configuration import converse_settings
from hausbote.webchat.credentials import CREDENTIALS_PATH
from hausbote.webchat.policy import headers_of_page
from hausbote.webchat.words import FALLBACK, WORDS

PATH: Final = "/chat"
_PAGE: Final = """\
<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="{assets}/images/logo/conversejs-filled.svg">
<link rel="stylesheet" href="{assets}/converse.min.css">
<link rel="stylesheet" href="{assets}/theme.css">
<link rel="stylesheet" href="{assets}/chat.css">
<script type="module" src="{assets}/converse.min.js"></script>
<script type="module" src="{assets}/chat.js"></script>
</head>
<body class="converse-fullscreen" data-chat="{chat}">
<header id="top"><a href="{home}">{back}</a> <span>{name}</span></header>
<p id="notice" role="status">{opening}</p>
<noscript><p>{script}</p></noscript>
<main id="chat"><converse-root></converse-root></main>
</body>
</html>
"""
_MISSING: Final = """\
<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="stylesheet" href="{assets}/chat.css">
</head>
<body>
<header id="top"><a href="{home}">{back}</a> <span>{name}</span></header>
<p id="notice">{missing}</p>
</body>
</html>
"""


class WebChat:
    """`home` is where the portal begins; at /chat it has whoever is not logged in do so first."""

    def __init__(
        self,
        settings: Settings,
        home: str = "/",
        read: Callable[[Path], bytes] = Path.read_bytes,
        fetched: Path = FETCHED,
    ) -> None:
        self._settings = settings
        self._home = home
        self._assets = Assets(read, fetched)

    def page(self, local: str, language: str, seal: str) -> Answer:
        """For the account that is logged in to the portal.

        With the `seal` the page shows that it is one of the portal's, as its forms do.
        """
        words = WORDS.get(language, WORDS[FALLBACK])
        language = language if language in WORDS else FALLBACK
        template = _PAGE if self._assets.complete else _MISSING
        page = _filled(
            template,
            **words,
            language=language,
            title=f"{words['chat_of']} {self._settings.domain}",
            name=self._settings.domain,
            home=self._home,
            assets=self._assets.path,
            chat=json.dumps(self._told(local, language, seal, words)),
        )
        status = "200 OK" if self._assets.complete else "503 Service Unavailable"
        kind = (("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store"))
        return Answer(status, (*headers_of_page(self._settings), *kind), page.encode())

    def _told(self, local: str, language: str, seal: str, words: dict[str, str]) -> dict[str, Any]:
        """What page/chat.js needs."""
        return {
            "credentials": CREDENTIALS_PATH,
            "again": PATH,
            "seal": seal,
            "words": {key: words[key] for key in ("opening", "waiting", "failed")},
            "converse": converse_settings(self._settings, local, language, self._assets.path),
        }

    def asset(self, path: str, accepted: str) -> Answer:
        """A file below `PREFIX`, for anybody: there is nothing of this box or its people in it."""
        return self._assets.answer(path, accepted)


def _filled(template: str, **values: str) -> str:
    return template.format(**{name: html.escape(value) for name, value in values.items()})
