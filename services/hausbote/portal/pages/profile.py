"""How somebody is called, and their picture."""

from base64 import b64decode, b64encode

from werkzeug.wrappers import Response

from hausbote.base.portal_actions import AccountAction
from hausbote.features.avatars import published
from hausbote.features.profile import MOST, name_of
from hausbote.portal.refusals import refuse_trouble
from hausbote.portal.uploaded_picture import Unfit, read, type_of
from hausbote.portal.visit import Refused, Visit


def show(visit: Visit) -> Response:
    return _page(visit, 200, name_of(visit.box.store, visit.local))


def _page(visit: Visit, status: int, name: str, wrong: dict[str, str] | None = None) -> Response:
    picture = published(visit.box.store, visit.local)
    return visit.page(
        "profile.html",
        status,
        name=name,
        picture="" if picture is None else picture.id[:12],
        wrong=wrong or {},
    )


def change_name(visit: Visit) -> Response:
    name = " ".join(visit.field("name").split())
    if len(name) > MOST:
        return _page(visit, 400, name, {"name": visit.say("That is too long.")})
    _do(visit, AccountAction.NAME, name)
    return visit.go("/me/profile", visit.say("Your name is changed, and your contacts see it."))


def show_picture(visit: Visit) -> Response:
    """The picture itself; one of a kind that browsers may run as a page is not shown."""
    picture = published(visit.box.store, visit.local)
    data = b"" if picture is None else b64decode(picture.text)
    type = type_of(data)
    if not type:
        raise Refused(404, visit.say("There is no picture"), visit.say("Choose one."))
    return visit.answer(Response(data, mimetype=type))


def change_picture(visit: Visit) -> Response:
    name = name_of(visit.box.store, visit.local)
    found = visit.request.files.get("picture")
    chosen = read(found.stream.read() if found is not None else b"")
    if isinstance(chosen, Unfit):
        return _page(visit, 400, name, {"picture": _why(visit, chosen)})
    _do(visit, AccountAction.PICTURE, b64encode(chosen.data).decode(), chosen.type)
    return visit.go("/me/profile", visit.say("Your picture is changed, and your contacts see it."))


def remove_picture(visit: Visit) -> Response:
    _do(visit, AccountAction.PICTURE, "")
    return visit.go("/me/profile", visit.say("Your picture is gone."))


def _do(visit: Visit, act: AccountAction, value: str, more: str = "") -> None:
    refuse_trouble(visit, visit.box.asking.act(visit.local, act, value, more))


def _why(visit: Visit, unfit: Unfit) -> str:
    match unfit:
        case Unfit.NOTHING:
            return visit.say("Choose a picture.")
        case Unfit.TOO_LARGE:
            return visit.say("The picture is too large: 60 kB are enough.")
        case Unfit.TOO_WIDE:
            return visit.say("The picture has too many points: 2000 each way are more than enough.")
        case Unfit.OTHER:
            return visit.say("Take a picture that is PNG or JPEG.")
