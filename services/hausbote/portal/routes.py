"""The table of all pages, and whom each is for; what is not in it does not exist."""

from typing import Final

from hausbote.portal.access import ANYBODY, CLAIMED, CLAIMING, OWNERS, PEOPLE, STRANGERS, Route
from hausbote.portal.pages import chat, claim, home, invitations, invite, login, me, owner, setup

ROUTES: Final = (
    Route("/language/<tag>", ANYBODY, home.choose_language),
    Route("/claim", CLAIMING, claim.show_code, claim.take_code),
    Route("/claim/language", CLAIMING, claim.show_language, claim.take_language),
    Route("/claim/domain", CLAIMING, claim.show_domain, claim.take_domain),
    Route("/claim/administrator", CLAIMING, claim.show_administrator, claim.take_administrator),
    Route("/claim/<code>", CLAIMING, claim.take_code_of_link),
    Route("/login", STRANGERS, login.show, login.log_in),
    Route("/invite/<token>", CLAIMED, invite.show, invite.follow),
    Route("/privacy", CLAIMED, home.privacy),
    Route("/logout", PEOPLE, None, login.log_out),
    Route("/", PEOPLE, home.home),
    Route("/welcome", PEOPLE, invite.welcome),
    Route("/invitations", PEOPLE, invitations.show_all),
    Route("/invitations/new", PEOPLE, invitations.show_form, invitations.make),
    Route("/invitations/<id>/withdraw", PEOPLE, None, invitations.withdraw),
    Route("/me", PEOPLE, me.show),
    Route("/me/devices", PEOPLE, me.show_devices),
    Route("/me/devices/<ref>/end", PEOPLE, None, me.end_device),
    Route("/me/password", PEOPLE, me.show_password, me.change_password),
    Route("/me/files", PEOPLE, me.show_files),
    Route("/me/files/<id>/delete", PEOPLE, None, me.delete_file),
    Route("/me/delete", PEOPLE, me.show_delete, me.delete),
    Route("/setup/names", OWNERS, setup.names),
    Route("/setup/certificate", OWNERS, setup.certificate, setup.ask_for_certificate),
    Route("/setup/done", OWNERS, setup.done),
    Route("/chat", PEOPLE, chat.show),
    Route("/chat/credentials", PEOPLE, None, chat.credentials),
    Route("/people", OWNERS, owner.people),
    Route("/people/<local>", OWNERS, owner.person, owner.change_person),
    Route("/people/<local>/reset", OWNERS, None, owner.reset),
    Route("/storage", OWNERS, owner.storage),
    Route("/box", OWNERS, owner.box),
)
