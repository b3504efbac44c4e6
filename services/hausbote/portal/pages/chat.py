"""Chat in the browser, for whoever is logged in; what it is made of is in `hausbote.webchat`."""

import json

from werkzeug.wrappers import Response

from hausbote.portal.visit import Refused, Visit
from hausbote.webchat import Answer, make_credentials


def show(visit: Visit) -> Response:
    """The page, without anything that lets somebody in."""
    if not visit.box.settings.has_web_chat:
        raise Refused(
            404,
            visit.say("There is no chat here"),
            visit.say("The owner of this box has turned it off. An app is the way to chat."),
        )
    page = visit.box.chat.page(visit.local, visit.language.tag, visit.seal)
    return visit.answer(as_response(page))


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


def as_response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, list(answer.headers))
