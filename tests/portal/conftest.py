"""Portals with and without an owner."""

import pytest

from support.portal import PortalWorld


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
