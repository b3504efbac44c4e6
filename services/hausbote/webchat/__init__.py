"""Chat in the browser: Converse.js at /chat, for whoever is logged in to the portal.

The portal knows who that is and mounts what is here; nothing here looks at cookies or passwords.
"""

from hausbote.webchat.answer import Answer
from hausbote.webchat.assets import PREFIX
from hausbote.webchat.chat import PATH, WebChat
from hausbote.webchat.credentials import CREDENTIALS_PATH, SECONDS, Credentials, make_credentials

__all__ = [
    "CREDENTIALS_PATH",
    "PATH",
    "PREFIX",
    "SECONDS",
    "Answer",
    "Credentials",
    "WebChat",
    "make_credentials",
]
