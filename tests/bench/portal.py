"""What pages of the portal cost: processor and bytes of one, memory after a day's worth of them.

    portal.py [--views 1000]

Starts a box, logs its owner in and looks at all pages again and again, by one connection.  Prints
milliseconds of the portal's processor for each page, bytes over the wire without TLS, and the
portal's PSS before and after, as JSON.
"""

import argparse
import gzip
import http.client
import json
import os
import re
import ssl
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.worlds import KEYS, PASSWORD, RunningWorld

ADDRESS = "127.0.0.1"
PAGES = (
    "/", "/people", "/people/juliet", "/invitations", "/invitations/new", "/storage", "/box", "/me",
    "/me/devices", "/me/password", "/me/files", "/setup/certificate",
)  # fmt: skip
_TICK = os.sysconf("SC_CLK_TCK")


class Browser:
    def __init__(self, port):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self._connection = http.client.HTTPSConnection("localhost", port, context=context)
        self._cookies = {}
        self.seal = ""

    def ask(self, path, **fields):
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self._cookies.items())}
        body = None
        if fields:
            body = urlencode({"seal": self.seal, **fields})
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request("POST" if fields else "GET", path, body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, rest = cookie.partition("=")
            self._cookies[name] = rest.partition(";")[0]
        found = re.search(rb'name="seal" value="([^"]+)"', content)
        self.seal = found[1].decode() if found else self.seal
        return answer, content


def main(views):
    with tempfile.TemporaryDirectory() as directory:
        box = RunningWorld(Path(directory, "box"), address=ADDRESS, domain="localhost", portal=True)
        try:
            print(json.dumps(measured(box, views), indent=2))
        finally:
            box.close()


def measured(box, views):
    box.store.accounts.create("juliet", KEYS, admin=True)
    pid = box.pid("portal")
    fresh = pss(pid)
    browser = Browser(box.settings.ports.portal)
    _, login = browser.ask("/login")
    first = wire(browser, login)
    answer, _ = browser.ask("/login", name="juliet", password=PASSWORD, to="/")
    assert answer.status == 303, answer.status
    costs = {}
    for page in PAGES:
        browser.ask(page)
        before = cpu(pid)
        for _ in range(20):
            answer, _ = browser.ask(page)
            assert answer.status == 200, (page, answer.status)
        costs[page] = round((cpu(pid) - before) / 20 * 1000, 1)
    for number in range(views):
        browser.ask(PAGES[number % len(PAGES)])
    return {
        "ms_per_page": costs,
        "first_page_bytes": first,
        "pss_fresh_mb": fresh,
        f"pss_after_{views}_views_mb": pss(pid),
    }


def wire(browser, page):
    """Bytes of a page with all that it needs; for comparison, what compression would make of it."""
    parts = [page]
    for path in re.findall(rb'"(/static/[^"]+)"', page):
        parts.append(browser.ask(path.decode())[1])
    return {"plain": sum(map(len, parts)), "gzip": sum(len(gzip.compress(one)) for one in parts)}


def cpu(pid):
    """Seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def pss(pid):
    """Megabytes."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return round(int(re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)[1]) / 1000, 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--views", type=int, default=1_000)
    main(parser.parse_args().views)
