"""The table of all pages, and whom each is for; what is not in it does not exist."""

from typing import Final

from hausbote.portal.access import ANYBODY, CLAIMING, OWNERS, PEOPLE, STRANGERS, Route
from hausbote.portal.pages import chat, claim, home, login, setup

ROUTES: Final = (
    Route("/language/<tag>", ANYBODY, home.choose_language),
    Route("/claim", CLAIMING, claim.show_code, claim.take_code),
    Route("/claim/language", CLAIMING, claim.show_language, claim.take_language),
    Route("/claim/domain", CLAIMING, claim.show_domain, claim.take_domain),
    Route("/claim/administrator", CLAIMING, claim.show_administrator, claim.take_administrator),
    Route("/claim/<code>", CLAIMING, claim.take_code_of_link),
    Route("/setup/names", OWNERS, setup.names),
    Route("/setup/certificate", OWNERS, setup.certificate, setup.ask_for_certificate),
    Route("/setup/done", OWNERS, setup.done),
    Route("/login", STRANGERS, login.show, login.log_in),
    Route("/logout", PEOPLE, None, login.log_out),
    Route("/chat", PEOPLE, chat.show),
    Route("/chat/credentials", PEOPLE, None, chat.credentials),
    Route("/", PEOPLE, home.home),
)
