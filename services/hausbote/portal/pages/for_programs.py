"""What programs ask for: whether the box is well, and where to report security problems."""

import json
import time
from typing import Final

from werkzeug.wrappers import Response

from hausbote.portal.visit import Visit

_DAY: Final = 86_400
_EXPIRES: Final = 90  # days until somebody should look at security.txt again (RFC 9116 §2.5.5)


def health(visit: Visit) -> Response:
    """Whether all that the box needs is there, and nothing more: strangers may ask."""
    well = visit.box.health.is_well()
    text = json.dumps({"status": "pass" if well else "fail"}) + "\n"
    return Response(text, 200 if well else 503, mimetype="application/json")


def security(visit: Visit) -> Response:
    """security.txt (RFC 9116), if the settings name somebody: contact.security."""
    settings = visit.box.settings
    if not settings.contact.security:
        return Response("There is nothing here.\n", 404, mimetype="text/plain")
    midnight = int(visit.box.clock()) // _DAY * _DAY  # so that it does not change all the time
    ends = time.gmtime(midnight + _EXPIRES * _DAY)
    languages = dict.fromkeys((settings.language.partition("-")[0], "en"))
    lines = [
        *[f"Contact: {one}" for one in settings.contact.security],
        f"Expires: {time.strftime('%Y-%m-%dT%H:%M:%SZ', ends)}",
        f"Preferred-Languages: {', '.join(languages)}",
    ]
    return Response("\n".join(lines) + "\n", 200, mimetype="text/plain")
