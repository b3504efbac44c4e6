"""Chat in the browser: Converse.js at /chat, for whoever is logged in to the portal.

The portal knows who that is and shows the page; what it is made of is here: its files, which c2s
sends, too, what Converse.js is told, what the browser may do, and tokens to log in with.  Nothing
here looks at cookies or passwords.
"""

from hausbote.webchat.assets import PREFIX, Assets
from hausbote.webchat.configuration import converse_settings
from hausbote.webchat.credentials import CREDENTIALS_PATH, SECONDS, Credentials, make_credentials
from hausbote.webchat.policy import headers_of_page

__all__ = [
    "CREDENTIALS_PATH",
    "PREFIX",
    "SECONDS",
    "Assets",
    "Credentials",
    "converse_settings",
    "headers_of_page",
    "make_credentials",
]
