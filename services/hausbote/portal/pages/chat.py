"""Chat in the browser, for whoever is logged in; what it is made of is in `hausbote.webchat`."""

import json
from typing import Any, Final

from werkzeug.wrappers import Response

from hausbote.portal.visit import Refused, Visit
from hausbote.webchat import (
    CREDENTIALS_PATH,
    converse_settings,
    headers_of_page,
    make_credentials,
)

PATH: Final = "/chat"


def show(visit: Visit) -> Response:
    """The page, without anything that lets somebody in."""
    settings, assets = visit.box.settings, visit.box.chat_assets
    if not settings.has_web_chat:
        raise Refused(
            404,
            visit.say("There is no chat here"),
            visit.say("The owner of this box has turned it off. An app is the way to chat."),
        )
    if not assets.complete:
        raise Refused(
            503,
            visit.say("The chat is not installed"),
            visit.say(
                "The owner of this box installs it with “make webchat”; until then, an app is the"
                " way to chat."
            ),
        )
    page = visit.page("chat.html", assets=assets.path, chat=json.dumps(_told(visit)))
    page.headers.update(dict(headers_of_page(settings)))
    return page


def _told(visit: Visit) -> dict[str, Any]:
    """What chat.js needs.  By the seal it shows that it is in one of our pages, as forms do."""
    box = visit.box
    return {
        "credentials": CREDENTIALS_PATH,
        "again": PATH,
        "seal": visit.seal,
        "words": {
            "opening": visit.say("Opening the chat …"),
            "waiting": visit.say("There is no connection to the box at the moment. Trying again …"),
            "failed": visit.say("The chat could not be opened. Load this page again, please."),
        },
        "converse": converse_settings(
            box.settings, visit.local, visit.language.tag, box.chat_assets.path
        ),
    }


def credentials(visit: Visit) -> Response:
    """A token for one login of the page; 401 if this browser's access has ended meanwhile."""
    box, session = visit.box, visit.session
    assert session is not None
    made = None
    if box.settings.has_web_chat:
        made = make_credentials(box.store, box.settings, session.local, session.agent, box.clock())
    if made is None:
        return Response("{}", 401, mimetype="application/json")
    return Response(json.dumps(made._asdict()), mimetype="application/json")
