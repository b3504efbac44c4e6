"""What a page says if c2s could not do what somebody wanted."""

from hausbote.base.portal_actions import ActionTrouble
from hausbote.portal.visit import Refused, Visit


def refuse_trouble(visit: Visit, trouble: ActionTrouble) -> None:
    """Refused unless there is none."""
    match trouble:
        case ActionTrouble.NONE:
            return
        case ActionTrouble.TOO_MUCH:
            sentence = visit.say("It would be more than the box keeps of anybody.")
            raise Refused(413, visit.say("That is too much"), sentence)
        case ActionTrouble.NO_SPACE:
            title = visit.say("This cannot be kept now")
            sentence = visit.say(
                "The disk of the box is full or broken. Nothing was changed; its owner was told."
            )
            raise Refused(503, title, sentence)
        case ActionTrouble.MISSING | ActionTrouble.GONE:
            title = visit.say("That is not there any more")
            raise Refused(404, title, visit.say("Look at the list."))
