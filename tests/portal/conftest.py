"""Portals with and without an owner, and a real browser."""

import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from support.looking import PUBLIC
from support.portal import PortalWorld

SOURCE = Path(__file__).with_name("axe")
BUILD = Path(__file__).parents[2] / "build" / "axe"


@pytest.fixture
def portal(tmp_path):
    """A portal that is in use; it may have other settings."""
    world = PortalWorld(tmp_path)
    yield world
    world.close()


@pytest.fixture
def unclaimed(tmp_path):
    world = PortalWorld(tmp_path, claimed=False)
    yield world
    world.close()


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", f"--host-resolver-rules=MAP {PUBLIC} 127.0.0.1"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe():
    """What finds pages that some people cannot use: axe-core, as the lock file says."""
    lock = (SOURCE / "package-lock.json").read_text()
    done = BUILD / "installed"
    if not done.exists() or done.read_text() != lock:
        BUILD.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCE / name, BUILD / name)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        installed = subprocess.run(command, cwd=BUILD, capture_output=True, text=True, check=False)
        assert installed.returncode == 0, installed.stderr
        done.write_text(lock)
    return (BUILD / "node_modules" / "axe-core" / "axe.min.js").read_text()
