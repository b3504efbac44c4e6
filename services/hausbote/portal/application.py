"""The way of a request: its host, its route, who asks, the form's seal, the page.

What is not in the table of routes does not exist; whom a route is not for sees nothing of it.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import quote

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from hausbote.base.log import bug
from hausbote.net.http import Environ
from hausbote.net.stored import Stored
from hausbote.portal.access import Route, Who
from hausbote.portal.asking import Away
from hausbote.portal.box import Box
from hausbote.portal.hosts import Hosts
from hausbote.portal.rendering import Pages
from hausbote.portal.routes import ROUTES
from hausbote.portal.strict_transport import NAME as STRICT_TRANSPORT
from hausbote.portal.strict_transport import StrictTransport
from hausbote.portal.visit import Refused, Visit
from hausbote.storage import StorageError
from hausbote.webchat import PREFIX

_METHODS: Final = ("GET", "HEAD", "POST")
_ONE_YEAR: Final = "public, max-age=31536000, immutable"
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS: Final = (
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()"),
)


class PortalApplication:
    """A WSGI application."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._pages = Pages(box.store.secret("portal-forms"))
        self._routes = [(route.pattern, route) for route in ROUTES]
        self._hosts = Hosts(box.settings)
        self._strict_transport = StrictTransport(box.settings, box.clock)

    def __call__(self, environ: Environ, start: Callable[..., Any]) -> Iterable[bytes] | Stored:
        self._box.views += 1
        if self._box.settings.has_web_chat and environ["PATH_INFO"].startswith(PREFIX):
            return self._box.chat_assets(environ, start)
        request = Request(environ)
        try:
            response = self._static(request) or self._answer(request)
        except Exception as fault:  # noqa: BLE001 - a fault of ours is one page's error
            bug(fault)
            response = Response("Something went wrong here.\n", 500, mimetype="text/plain")
        for name, value in _HEADERS:
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
        strictness = self._strict_transport.field(self._hosts.ours(environ.get("HTTP_HOST", "")))
        if strictness:
            response.headers[STRICT_TRANSPORT] = strictness
        return response(environ, start)

    def _static(self, request: Request) -> Response | None:
        if request.method not in ("GET", "HEAD"):
            return None
        file = self._pages.files.get(request.path)
        if file is None:
            return None
        headers = {"Cache-Control": _ONE_YEAR}
        return Response(file.content, mimetype=file.type, headers=headers)

    def _answer(self, request: Request) -> Response:
        if not self._hosts.ours(request.headers.get("Host", "")):
            return Response("This is another server.\n", 421, mimetype="text/plain")
        visit = Visit(self._box, request, self._pages)
        try:
            return self._page(visit)
        except Refused as no:
            return visit.page("message.html", no.status, title=no.title, sentence=no.sentence)
        except Away:
            sentence = visit.say(
                "A part of the box is being started again. Try once more in a minute."
            )
            return visit.page("message.html", 503, title=visit.say("One moment"), sentence=sentence)
        except StorageError:
            sentence = visit.say(
                "The disk of the box is full or broken. Nothing was changed; its owner was told."
            )
            title = visit.say("This cannot be kept now")
            return visit.page("message.html", 503, title=title, sentence=sentence)
        except HTTPException as error:
            return visit.page(
                "message.html",
                error.code or 400,
                title=visit.say("That was not understood"),
                sentence=visit.say("Go back and try again."),
            )

    def _page(self, visit: Visit) -> Response:
        request = visit.request
        found = self._find(request.path)
        if found is None:
            return self._nothing(visit)
        route, parts = found
        if visit.who not in route.who:
            return self._turn_away(visit, route)
        view = route.post if request.method == "POST" else route.get
        if view is None or request.method not in _METHODS:
            return Response("", 405, {"Allow": ", ".join(_allowed(route))})
        if request.method == "POST":
            visit.check_form()
        return view(visit, **parts)

    def _find(self, path: str) -> tuple[Route, dict[str, str]] | None:
        for pattern, route in self._routes:
            match = pattern.fullmatch(path)
            if match:
                return route, match.groupdict()
        return None

    def _nothing(self, visit: Visit) -> Response:
        if visit.who is Who.CLAIMING:
            return Response("There is nothing here.\n", 404, mimetype="text/plain")
        return visit.page(
            "message.html",
            404,
            title=visit.say("There is nothing here"),
            sentence=visit.say("Perhaps the address has a typing error."),
        )

    def _turn_away(self, visit: Visit, route: Route) -> Response:
        """Strangers may log in first; before the claim there is nothing but that."""
        request = visit.request
        if visit.who is Who.CLAIMING:
            return visit.go("/claim") if request.path == "/" else self._nothing(visit)
        if visit.who is Who.NOBODY and route.who - {Who.CLAIMING}:
            where = quote(request.path) if request.method != "POST" else "/"
            return visit.go("/login" if where == "/" else f"/login?to={where}")
        if route.who == frozenset((Who.NOBODY,)) or Who.CLAIMING in route.who:
            return visit.go("/")
        return visit.page(
            "message.html",
            403,
            title=visit.say("This page is not for you"),
            sentence=visit.say("Only administrators of the box can see it."),
        )


def _allowed(route: Route) -> Iterable[str]:
    if route.get is not None:
        yield from ("GET", "HEAD")
    if route.post is not None:
        yield "POST"
