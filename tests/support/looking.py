"""People who look at the portal with a real browser, on a phone or at a desk.

With SCREENS=DIRECTORY in the environment, each page that they see becomes a picture there.
"""

import json
import os
from contextlib import contextmanager
from pathlib import Path

PUBLIC = "verona.example"  # a domain that leads to this machine
_SIZES = {"phone": (390, 844), "desk": (1180, 900)}
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_QUALITY = 32


class Look:
    """How somebody looks: a device, a language, a scheme, with JavaScript or without."""

    def __init__(self, device, language, scheme, script=True):
        self.device, self.language, self.scheme, self.script = device, language, scheme, script

    def __str__(self):
        without = "" if self.script else "-plain"
        return f"{self.device}-{self.language}-{self.scheme}{without}"

    def context(self, chromium):
        width, height = _SIZES[self.device]
        agent = {"phone": "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 Chrome/140"}
        return chromium.new_context(
            viewport={"width": width, "height": height},
            locale=self.language,
            color_scheme=self.scheme,
            java_script_enabled=self.script,
            ignore_https_errors=True,
            user_agent=agent.get(self.device),
            has_touch=self.device == "phone",
            is_mobile=self.device == "phone",
        )


class Person:
    """A browser of somebody's own; what its console complains of is kept."""

    def __init__(self, chromium, look, url, axe):
        self.look, self.url, self._axe = look, url, axe
        self.context = look.context(chromium)
        self.page = self.context.new_page()
        self.complaints = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message):
        """Forms that are filled in wrongly are answered with 4xx, and a box that starts again with
        nothing, both of which browsers call errors."""
        expected = "status of 4" in message.text or "ERR_CONNECTION" in message.text
        if message.type == "error" and not expected:
            self.complaints.append(message.text)

    def go(self, path):
        self.page.goto(path if path.startswith("https:") else self.url + path)

    def sees(self, heading, name):
        """The page says that, fits on the screen, and can be used by everybody."""
        shown = self.page.locator("h1").inner_text()
        assert shown == heading, f"{shown!r}: {self.page.locator('main').inner_text()}"
        self._fits(name)
        if self.look.script:
            self._is_for_everybody(name)
        self._shoot(name)

    def fill(self, **fields):
        for name, value in fields.items():
            self.page.locator(f"[name={name}]:visible").first.fill(value)

    def press(self, name):
        """A button or link by its words."""
        role = self.page.get_by_role("button", name=name, exact=True)
        (
            role if role.count() else self.page.get_by_role("link", name=name, exact=True)
        ).first.click()
        self.page.wait_for_load_state()

    def _fits(self, name):
        wide = self.page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert wide[0] <= wide[1], f"{name} is wider than the screen: {wide}"

    def _is_for_everybody(self, name):
        """axe-core runs over DevTools, past the page's own rules for scripts.  All of the page is on
        the screen meanwhile: from under the bar at the bottom people scroll what they want."""
        self.page.evaluate(self._axe)
        with self._whole_page():
            told = self.page.evaluate(
                f"axe.run(document, {{runOnly: {json.dumps(_RULES)}}}).then(r => r.violations.map("
                "v => v.id + ': ' + v.nodes.map(n => n.html + ' ' + n.failureSummary).join(' | ')))"
            )
        assert told == [], f"{name}: {told}"

    @contextmanager
    def _whole_page(self):
        """The screen is as high as the page."""
        width, usual = _SIZES[self.look.device]
        height = self.page.evaluate("document.documentElement.scrollHeight")
        self.page.set_viewport_size({"width": width, "height": max(height, usual)})
        yield
        self.page.set_viewport_size({"width": width, "height": usual})

    def _shoot(self, name):
        directory = os.environ.get("SCREENS")
        if directory:
            Path(directory).mkdir(parents=True, exist_ok=True)
            path = Path(directory, f"{name}-{self.look}.jpg")
            with self._whole_page():
                self.page.screenshot(path=path, type="jpeg", quality=_QUALITY)

    def close(self):
        self.context.close()
        assert self.complaints == []
