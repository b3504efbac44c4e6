"""What happened to one's account: new devices, wrong passwords, links, locks."""

from werkzeug.wrappers import Response

from hausbote.portal.language import Language
from hausbote.portal.visit import Visit
from hausbote.storage import AccountEvent, EventKind


def show(visit: Visit) -> Response:
    events = visit.box.store.account_events.of(visit.local)
    return visit.page(
        "security.html",
        events=[(_told(visit.language, one), one.at) for one in events],
        days=visit.box.settings.retention.events_days,
    )


def _told(language: Language, event: AccountEvent) -> str:
    say = language.say
    match event.kind:
        case EventKind.DEVICE:
            device = event.told or say("a device without a name")
            return say("A new device logged in: %(device)s", device=device)
        case EventKind.FAILED:
            return language.count(
                "A wrong password was tried once",
                "A wrong password was tried %(num)s times",
                event.times,
            )
        case EventKind.PASSWORD:
            return say("The password was changed")
        case EventKind.RESET_MADE:
            return say("A link for a new password was made")
        case EventKind.RESET_USED:
            return say("A new password was chosen by a link")
        case EventKind.LOCKED:
            return say("The account was locked")
        case EventKind.UNLOCKED:
            return say("The account was let in again")
        case EventKind.LEAVING:
            return say("The account was to be deleted")
        case EventKind.STAYED:
            return say("The account stayed after all")
