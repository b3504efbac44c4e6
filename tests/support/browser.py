"""Chromium, driven by Playwright, that reaches this machine and nothing else."""

import base64
import hashlib
import shutil
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate
from playwright.async_api import async_playwright

HERE = ("localhost", "127.0.0.1")
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
_NOWHERE = "MAP * ~NOTFOUND" + "".join(f", EXCLUDE {host}" for host in HERE)


class Watch:
    """What a page asks for, and what the browser has to say about it."""

    def __init__(self):
        self.addresses = []
        self.headers = []
        self.finished = []
        self.complaints = []

    def over(self, context):
        context.on("request", self._asked)
        context.on("requestfinished", lambda one: self.finished.append(one))
        context.on("console", self._said)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("page", lambda page: page.on("websocket", self._socket))

    def _asked(self, request):
        self.addresses.append(request.url)
        self.headers.append(request.headers)

    def _socket(self, socket):
        self.addresses.append(socket.url)

    def _said(self, message):
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    async def size(self):
        """Bytes of all that came, as it went over the wire."""
        return sum([(await one.sizes())["responseBodySize"] for one in self.finished])

    @property
    def elsewhere(self):
        """What was asked of others than this machine."""
        found = [one for one in self.addresses if not one.startswith(("data:", "blob:"))]
        return [one for one in found if urlsplit(one).hostname not in HERE]

    @property
    def refused(self):
        """What the content security policy did not allow."""
        return [one for one in self.complaints if "Content Security Policy" in one]


@asynccontextmanager
async def browser(world):
    """One that is new, has nothing of anybody, and takes the box's certificate for a good one."""
    async with async_playwright() as playwright:
        made = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=[
                "--no-sandbox",
                f"--host-resolver-rules={_NOWHERE}",
                f"--ignore-certificate-errors-spki-list={_key_of(world)}",
            ],
        )
        try:
            yield made
        finally:
            await made.close()


def _key_of(world):
    """As Chromium names the key of a certificate."""
    certificate = load_pem_x509_certificate((world.state / "certs" / "box.pem").read_bytes())
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    digest = hashlib.sha256(certificate.public_key().public_bytes(*form)).digest()
    return base64.b64encode(digest).decode()


@asynccontextmanager
async def looking(made, language="en-GB", **kind):
    """A context of its own, and a watch over it."""
    context = await made.new_context(locale=language, **(kind or DESKTOP))
    watch = Watch()
    watch.over(context)
    try:
        yield context, watch
    finally:
        await context.close()
