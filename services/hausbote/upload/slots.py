"""A place for a file, asked for before it is uploaded (XEP-0363).

An id that nobody can guess, the size and type that were announced, and the hash of a key that the
upload must show.
"""

import hashlib
import re
import secrets
from datetime import UTC, datetime
from mimetypes import guess_type
from typing import Final
from urllib.parse import quote

from hausbote.base.clock import timestamp
from hausbote.base.settings import Settings
from hausbote.base.tokens import token
from hausbote.core.feature import Feature, Target
from hausbote.core.host import Host
from hausbote.core.request import Request
from hausbote.upload.depot import Depot
from hausbote.upload.pending import Bounds, Pending, Refusal, Slot, refusal
from hausbote.xmpp import ns
from hausbote.xmpp.data_form import DataForm, Field
from hausbote.xmpp.errors import (
    BadRequest,
    FeatureNotImplemented,
    Forbidden,
    NotAcceptable,
    ResourceConstraint,
    StanzaError,
)
from hausbote.xmpp.stanza import Child, child
from hausbote.xmpp.xml import Tree, el

_DAY: Final = 86_400  # seconds
_NAME_BYTES: Final = 255
_NOT_IN_NAMES: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")
_ANYTHING: Final = "application/octet-stream"

feature = Feature(
    "upload",
    xeps={"0363": "1.2.0"},
    disco=(
        ns.UPLOAD,
        f"{ns.UPLOAD_PURPOSE}#message",
        f"{ns.UPLOAD_PURPOSE}#ephemeral",
    ),
)


@feature.disco_form
def largest_file(host: Host) -> DataForm:
    size = str(host.settings.upload.file_bytes)
    return DataForm(ns.UPLOAD, (Field("max-file-size", (size,)),))


@feature.iq("get", ns.UPLOAD, "request", Target.HOST)
def request_slot(request: Request) -> Child:
    host, account = request.host, _uploader(request)
    now = int(host.clock())
    asked, key = request.tree(), token(192)
    slot = Slot(
        id=secrets.token_hex(16),
        account=account,
        name=_name(asked),
        type=_type(asked),
        size=_size(asked, host.settings.upload.file_bytes),
        key=key_hash(key),
        until=now + host.settings.upload.slot_seconds,
        expires=_expires(asked, now),
    )
    if not Depot(host.settings.uploads_dir).has_room(slot.size, spare(host)):
        raise ResourceConstraint("the disk is full")
    pending = host.state(Pending)
    why_not = refusal(host.store.uploads, pending, account, slot.size, bounds(host.settings), now)
    if why_not is not None:
        raise _no(why_not, host.settings, now)
    pending.add(slot, now)
    url = f"{host.settings.upload_url}/{slot.id}/{quote(slot.name, safe='')}"
    header = el("header", f"Bearer {key}", name="Authorization")
    return child(ns.UPLOAD, "slot", el("put", header, url=url), el("get", url=url))


def spare(host: Host) -> int:
    """Bytes that uploads leave free on their disk."""
    return max(host.settings.upload.free_bytes, host.store.reserve.of(host.settings.uploads_dir))


def key_hash(key: str) -> bytes:
    """What is kept of a key."""
    return hashlib.sha256(key.encode()).digest()


def bounds(settings: Settings) -> Bounds:
    upload = settings.upload
    return Bounds(
        slots=upload.slots,
        account_bytes=upload.account_bytes,
        day_bytes=upload.day_bytes,
        total_bytes=upload.total_bytes,
        oldest_go=upload.when_full == "oldest-go",
    )


def plain_type(content_type: str) -> str:
    """A content type without its parameters; "" if it is none."""
    essence = content_type.partition(";")[0].strip().lower()
    return essence if _TYPE.fullmatch(essence) else ""


def _uploader(request: Request) -> int:
    """The account of who asks, if it is one of us."""
    sender, host = request.sender, request.host
    if sender is not None and sender.domain == host.settings.domain and sender.local:
        account = host.store.uploads.account(sender.local)
        if account is not None:
            return account
    raise Forbidden("only people of this server may upload files")


def _name(asked: Tree) -> str:
    """The last part of the file's name, without what would only mislead."""
    given = asked.get("filename") or ""
    name = _NOT_IN_NAMES.sub("", given).replace("\\", "/").rpartition("/")[2].strip()
    if not name or name in (".", "..") or len(name.encode()) > _NAME_BYTES:
        raise BadRequest(f"a file has a name of up to {_NAME_BYTES} bytes")
    return name


def _type(asked: Tree) -> str:
    given = asked.get("content-type")
    if given is None:
        return guess_type(asked.get("filename") or "")[0] or _ANYTHING
    if not plain_type(given):
        raise BadRequest("this is not a content type")
    return plain_type(given)


def _size(asked: Tree, largest: int) -> int:
    given = asked.get("size") or ""
    if not re.fullmatch("[0-9]{1,18}", given) or int(given) == 0:
        raise BadRequest("the size of a file is a number of bytes")
    if int(given) > largest:
        limit = el("max-file-size", str(largest))
        raise NotAcceptable(
            f"File too large. The maximum file size is {largest} bytes",
            extra=el("file-too-large", limit, xmlns=ns.UPLOAD),
        )
    return int(given)


def _expires(asked: Tree, now: int) -> int | None:
    """When the file must go by its purpose, in seconds since 1970."""
    purposes = [one for one in asked if one.tag.startswith(f"{{{ns.UPLOAD_PURPOSE}}}")]
    if not purposes:
        return None
    purpose = purposes[0].tag.rpartition("}")[2]
    if len(purposes) > 1 or purpose not in ("message", "ephemeral"):
        raise FeatureNotImplemented("files are kept for messages only")
    if purpose == "message":
        return None
    try:
        until = datetime.fromisoformat(purposes[0].get("expire-before", ""))
    except ValueError:
        raise BadRequest("expire-before is not a DateTime") from None
    if until.tzinfo is None or until <= datetime.fromtimestamp(now, UTC):
        raise BadRequest("expire-before is not a time to come")
    return int(until.timestamp())


def _no(why_not: Refusal, settings: Settings, now: int) -> StanzaError:
    again = {
        Refusal.SLOTS: now + settings.upload.slot_seconds,
        Refusal.DAY: (now // _DAY + 1) * _DAY,
    }.get(why_not)
    retry = None if again is None else el("retry", xmlns=ns.UPLOAD, stamp=timestamp(again))
    return ResourceConstraint(why_not.value, extra=retry)
