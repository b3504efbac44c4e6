"""The few sentences of the page that are not Converse.js's own."""

from typing import Final

FALLBACK: Final = "en"
WORDS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "back": "Home",
        "chat_of": "Chat of",
        "opening": "Opening the chat …",
        "waiting": "There is no connection to the box at the moment. Trying again …",
        "failed": "The chat could not be opened. Load this page again, please.",
        "script": "The chat needs JavaScript. All of it comes from this box.",
        "missing": "The chat is not installed on this box. Its owner installs it with “make "
        "webchat”; until then, an app is the way to chat.",
    },
    "de": {
        "back": "Start",
        "chat_of": "Chat von",
        "opening": "Der Chat wird geöffnet …",
        "waiting": "Zurzeit gibt es keine Verbindung zur Box. Neuer Versuch …",
        "failed": "Der Chat ließ sich nicht öffnen. Bitte lade diese Seite neu.",
        "script": "Der Chat braucht JavaScript. Alles davon kommt von dieser Box.",
        "missing": "Der Chat ist auf dieser Box nicht installiert. Wer sie betreibt, installiert "
        "ihn mit „make webchat“; bis dahin geht es mit einer App.",
    },
}
