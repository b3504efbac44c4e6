"""The portal in this process, with c2s behind it, and browsers that look at it without pictures."""

import importlib
import re
from contextlib import contextmanager
from html import unescape

import pytest
from werkzeug.test import Client

from hausbote.base.claim import make_code, write_claim
from hausbote.portal.application import PortalApplication
from hausbote.portal.asking import Asking
from hausbote.portal.box import Box
from hausbote.storage import StorageError
from support.worlds import KEYS, PASSWORD, MemoryWorld

DOMAIN = "box.local"
_SEAL = re.compile(r'name="seal" value="([^"]+)"')
_HEADING = re.compile(r"<h1>(.*?)</h1>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


class PortalWorld(MemoryWorld):
    """`claimed` has an administrator, juliet, and a member, romeo; else there is a code."""

    def __init__(self, state, claimed=True, domain=DOMAIN, **overrides):
        super().__init__(state, domain, **({"registration": "invite"} | overrides))
        self.code = make_code()
        if claimed:
            self.store.accounts.create("juliet", KEYS, admin=True)
            self.store.accounts.create("romeo", KEYS)
        else:
            write_claim(self.settings, self.settings.state, self.code)
        asking = Asking()
        asking.bus = self.portal = self._bus("portal")(lambda _service, _frame: None)
        asking.bus.serve(asking.take)
        self.box = Box(self.settings, self.store, asking)
        self.application = PortalApplication(self.box)

    def browser(self, **more):
        return Browser(self.application, **({"host": self.domain} | more))

    def browser_of(self, local):
        browser = self.browser()
        assert browser.log_in(local).status_code == 303
        return browser

    @contextmanager
    def no_new_sessions(self):
        """The disk fails whenever a login is to be kept."""

        def fails(*_):
            raise StorageError("the disk fails")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.store.tokens, "issue", fails)
            yield

    def close(self):
        self.portal.close(graceful=False)
        super().close()


class Browser:
    """Follows no redirects by itself; keeps cookies, and the seal of the last page."""

    def __init__(self, application, language="en", address="192.0.2.7", host=DOMAIN):
        self.client = Client(application)
        self.language, self.address, self.host = language, address, host
        self.seal = ""

    def get(self, path, **headers):
        return self._seen(self._open("GET", path, headers))

    def post(self, path, origin=None, seal=None, **fields):
        headers = {} if origin is None else {"Origin": origin}
        sealed = {"seal": self.seal if seal is None else seal} | fields
        return self._seen(self._open("POST", path, headers, data=sealed))

    def send(self, page, path, **fields):
        """Fill in the form of a page."""
        self.get(page)
        return self.post(path, **fields)

    def cookie(self, name):
        return self.client.get_cookie(name, domain=self.host)

    def keep(self, name, value):
        self.client.set_cookie(name, value, domain=self.host, secure=True)

    def log_in(self, local, password=PASSWORD):
        return self.send("/login", "/login", name=local, password=password, to="/")

    def _open(self, method, path, headers, **more):
        asked = {"Accept-Language": self.language, "Host": self.host} | headers
        return self.client.open(
            path, method=method, headers=asked, base_url=f"https://{self.host}",
            environ_overrides={"REMOTE_ADDR": self.address}, **more,
        )  # fmt: skip

    def _seen(self, response):
        found = _SEAL.search(response.text) if response.mimetype == "text/html" else None
        self.seal = found[1] if found else self.seal
        return response


def counted(monkeypatch, module, function):
    """A list with one thing for each time that a module of the portal calls that function."""
    calls = []
    place = f"hausbote.portal.{module}"
    real = getattr(importlib.import_module(place), function)

    def called(*arguments, **more):
        calls.append(function)
        return real(*arguments, **more)

    monkeypatch.setattr(f"{place}.{function}", called)
    return calls


def heading(response):
    """What a page says."""
    found = _HEADING.search(response.text)
    return " ".join(unescape(_TAG.sub("", found[1])).split()) if found else ""


def words(response):
    """All that can be read on a page."""
    return " ".join(unescape(_TAG.sub(" ", response.text)).split())
