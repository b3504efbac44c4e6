"""What people say of themselves, for everybody to see (XEP-0054); the photo is their avatar."""

from hausbote.base.jid import JID
from hausbote.core.feature import Feature, Target
from hausbote.core.host import Host
from hausbote.core.request import Request
from hausbote.core.space import need_space
from hausbote.features import avatars
from hausbote.xmpp import ns
from hausbote.xmpp.errors import Forbidden, ItemNotFound, NotAcceptable, ServiceUnavailable
from hausbote.xmpp.soundness import leaves
from hausbote.xmpp.stanza import Child, tree
from hausbote.xmpp.xml import Markup, Tree, el, write_tree

feature = Feature("vcard", xeps={"0054": "1.3.0"}, disco=(ns.VCARD,), account_disco=(ns.VCARD,))

_MAX_TYPE = 100  # characters
_PHOTO = f"{{{ns.VCARD}}}PHOTO"


@feature.iq("get", ns.VCARD, "vCard", Target.ACCOUNT)
def get(request: Request) -> Child:
    """Somebody without one looks like somebody who does not exist (§3.3)."""
    assert request.sender is not None
    found = vcard(request.host, request.to.local, request.sender)
    if found is None:
        raise ItemNotFound if request.own else ServiceUnavailable
    return Child(ns.VCARD, "vCard", found)


def vcard(host: Host, local: str, who: JID) -> Markup | None:
    """The account's vCard as `who` sees it."""
    kept = host.store.vcards.get(local)
    if kept is not None and not leaves(kept):
        kept = None
    photo = avatars.photo(host, local, who)
    if photo is None:
        return None if kept is None else Markup(kept)
    parts = [] if kept is None else list(tree(Child(ns.VCARD, "vCard", kept)))
    shown = [write_tree(part, ns.VCARD) for part in parts if part.tag != _PHOTO]
    return el("vCard", *shown, photo, xmlns=ns.VCARD)


@feature.iq("set", ns.VCARD, "vCard", Target.ACCOUNT)
def put(request: Request) -> None:
    """The whole vCard takes the place of the former one."""
    if not request.own:
        raise Forbidden
    host, local = request.host, request.to.local
    vcard = request.tree()
    photo = vcard.find(_PHOTO)
    picture = None if photo is None else _picture(photo)
    limits = host.settings.limits
    if picture is not None and 0 < limits.pubsub_item_bytes < len(picture.text):
        raise NotAcceptable("the photo is too large")
    parts = [write_tree(part, ns.VCARD) for part in vcard if picture is None or part.tag != _PHOTO]
    text = el("vCard", *parts, xmlns=ns.VCARD)
    if 0 < limits.vcard_bytes < len(text.encode()):
        raise NotAcceptable("the vCard is too large")
    if parts or picture is not None:
        need_space(host)
    host.store.vcards.put(local, text).wait()
    avatars.replace(host, local, picture, request.afterwards)


def _picture(photo: Tree) -> avatars.Picture | None:
    binary = photo.findtext(f"{{{ns.VCARD}}}BINVAL") or ""
    type = (photo.findtext(f"{{{ns.VCARD}}}TYPE") or "").strip()
    return avatars.decoded(binary, type if 0 < len(type) <= _MAX_TYPE else "image/png")
