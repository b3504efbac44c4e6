"""For administrators: what happened on the box in the last day, in sentences."""

from werkzeug.wrappers import Response

from hausbote.portal.log_summary import hour, last_day
from hausbote.portal.log_words import sentences
from hausbote.portal.pages.box import part
from hausbote.portal.visit import Visit


def show(visit: Visit) -> Response:
    settings, now = visit.box.settings, visit.box.clock()
    found = visit.box.compute(last_day, settings, now)
    said = sentences(visit.language)
    lines = [
        (line, said[line.event], part(visit, line.service) if line.service else "", hour(line.last))
        for line in found
        if line.event in said
    ]
    return visit.page(
        "log.html",
        split=settings.is_split,
        wrong=[line for line in lines if line[0].rank],
        usual=[line for line in lines if not line[0].rank],
    )
