"""One request: who asks, in which language, and the way to answer."""

import hashlib
import hmac
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote, urlsplit

from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Request, Response

from hausbote.base.claim import read_code
from hausbote.base.tokens import token
from hausbote.portal import sessions
from hausbote.portal.access import Who
from hausbote.portal.box import Box
from hausbote.portal.language import FALLBACK, NAMES, Language, wanted
from hausbote.portal.reasons import told
from hausbote.portal.sessions import Session

SESSION: Final = "__Host-session"
CLAIM: Final = "__Host-claim"
VISIT: Final = "__Host-visit"
LANGUAGE: Final = "__Host-language"
NOTE: Final = "__Host-note"
_SESSION_SECONDS: Final = sessions.DAYS * 86_400
_YEAR: Final = 31_536_000  # seconds
_FIELDS: Final = 50  # of a form
_LONGEST: Final = 4_000  # characters of a field


class Refused(Exception):
    """The answer is a page that says why; `sentence` is of the visit's language."""

    def __init__(self, status: int, title: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.title = title
        self.sentence = sentence


class Visit:
    """`pages` turns templates into text."""

    def __init__(self, box: Box, request: Request, pages: Any) -> None:
        self.box = box
        self.request = request
        self._pages = pages
        self._cookies: list[tuple[str, str, int | None]] = []
        self.session: Session | None = self._session()
        if self.session is not None and self.session.renewed:
            self.cookie(SESSION, self.session.cookie(), _SESSION_SECONDS)
        self.who = self._who()

    # -- who -----------------------------------------------------------------------------------

    def _session(self) -> Session | None:
        cookie = self.request.cookies.get(SESSION, "")
        return sessions.find(self.box, cookie) if cookie else None

    def _who(self) -> Who:
        if self.session is not None:
            is_admin = self.box.store.accounts.is_admin(self.session.local)
            return Who.ADMINISTRATOR if is_admin else Who.MEMBER
        return Who.NOBODY if self.box.is_claimed else Who.CLAIMING

    @property
    def local(self) -> str:
        """The account that is logged in."""
        assert self.session is not None
        return self.session.local

    @property
    def address(self) -> str:
        return self.request.remote_addr or "127.0.0.1"

    @property
    def has_code(self) -> bool:
        """Whether this browser was given the code of the claim."""
        shown = self.request.cookies.get(CLAIM, "")
        code = read_code(self.box.settings.state)
        return bool(code) and hmac.compare_digest(shown.encode(), claim_cookie(code).encode())

    # -- language ------------------------------------------------------------------------------

    @cached_property
    def language(self) -> Language:
        chosen = self.request.cookies.get(LANGUAGE, "")
        tag = chosen if chosen in NAMES else wanted(self.request.headers.get("Accept-Language", ""))
        usual = self.box.settings.language.partition("-")[0]
        languages: Mapping[str, Language] = self._pages.languages
        return languages[tag or (usual if usual in NAMES else FALLBACK)]

    def say(self, sentence: str, **values: object) -> str:
        return self.language.say(sentence, **values)

    def reason(self, text: str) -> str:
        """Why something failed, as another part of the box has written it down."""
        return told(self.language, text) or text

    # -- forms ---------------------------------------------------------------------------------

    @cached_property
    def _visitor(self) -> str:
        """What this browser is known by, logged in or not; it gets a new cookie if it has none."""
        known = self.request.cookies.get(VISIT, "")
        if len(known) < 20 or len(known) > 100 or not known.isascii():
            known = token(160)
            self._cookies.append((VISIT, known, None))
        return known

    @property
    def seal(self) -> str:
        """Stands in every form, so that no other page can send one (CSRF)."""
        session = self.session.secret if self.session is not None else ""
        what = f"{self._visitor}\0{session}".encode()
        return hmac.new(self._pages.secret, what, hashlib.sha256).hexdigest()

    def check_form(self) -> None:
        """Refused unless the form is one of ours that this browser was given."""
        if not self._is_from_here() or not hmac.compare_digest(
            self.form.get("seal", "").encode(), self.seal.encode()
        ):
            raise Refused(
                403,
                self.say("That form is too old"),
                self.say(
                    "Go back, load the page again and send it once more. If that does not help,"
                    " allow cookies for this page."
                ),
            )

    def _is_from_here(self) -> bool:
        """Whether a page of ours sent it, if the browser says which did (RFC 6454 §7)."""
        origin = self.request.headers.get("Origin")
        try:
            return origin is None or urlsplit(origin).netloc == self.request.host
        except ValueError:
            return False

    @cached_property
    def form(self) -> MultiDict[str, str]:
        found = self.request.form
        if len(found) > _FIELDS or any(len(one) > _LONGEST for one in found.values()):
            raise Refused(413, self.say("That is too much"), self.say("Write less, and try again."))
        return MultiDict(found)

    def field(self, name: str) -> str:
        """What was typed, without blanks around it and without what cannot be seen."""
        text = self.form.get(name, "").strip()
        return "".join(one for one in text if one.isprintable())

    # -- answers -------------------------------------------------------------------------------

    def cookie(self, name: str, value: str, seconds: int | None = None) -> None:
        """Set one; 0 seconds remove it, None keeps it until the browser is closed."""
        self._cookies.append((name, value, seconds))

    def log_in(self, session: Session) -> None:
        """This browser is somebody's from the next page on, and forgets what it was before."""
        self.session = session
        self.cookie(SESSION, session.cookie(), _SESSION_SECONDS)
        self.cookie(VISIT, token(160))
        self.cookie(CLAIM, "", 0)

    def choose_language(self, tag: str) -> None:
        self.cookie(LANGUAGE, tag, _YEAR)

    def page(self, template: str, status: int = 200, **values: object) -> Response:
        note = self._note()
        text = self._pages.render(self, template, note=note, **values)
        return self.answer(Response(text, status, mimetype="text/html"))

    def go(self, path: str, note: str = "") -> Response:
        """See there (303), where `note` is said once at the top of the page."""
        if note:
            self.cookie(NOTE, note.encode().hex(), 60)
        return self.answer(Response("", 303, {"Location": quote(path, safe="/?=&#%+")}))

    def _note(self) -> str:
        """What the last answer has left to be said."""
        kept = self.request.cookies.get(NOTE, "")
        if not kept:
            return ""
        self.cookie(NOTE, "", 0)
        try:
            return bytes.fromhex(kept[:2_000]).decode()
        except ValueError:
            return ""

    def answer(self, response: Response) -> Response:
        for name, value, seconds in self._cookies:
            response.set_cookie(
                name, value, max_age=seconds, secure=True, httponly=True, samesite="Lax", path="/"
            )
        self._cookies.clear()
        return response


def claim_cookie(code: str) -> str:
    """What a browser shows that was given the code: it is good as long as the code is."""
    return hmac.new(code.encode(), b"claim", hashlib.sha256).hexdigest()
