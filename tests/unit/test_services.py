"""The table of services agrees with the packages, the settings and the documentation."""

from pathlib import Path

import hausbote
from hausbote.base.services import BY_NAME, SERVICES, open_ports, ours
from hausbote.base.settings import Settings
from hausbote.core.house import hosted

PACKAGES = Path(hausbote.__file__).parent
DOCS = Path(__file__).parents[2] / "docs"


def settings(tmp_path, **raw):
    return Settings.from_dict({"domain": "h"} | raw, tmp_path)


def test_every_package_that_can_be_started_is_a_service():
    others = {"cli", "health"}  # a command, and what c2s has done every hour
    mains = {path.parent.name for path in PACKAGES.glob("*/__main__.py")} - others
    assert mains == {service.name for service in SERVICES if service.is_ours}


def test_every_name_and_port_of_a_service_is_a_setting(tmp_path):
    box = settings(tmp_path)
    known = dict(box.items())
    assert {name for one in SERVICES for name in one.domains} == {"domain", *vars(box.names)}
    for service in SERVICES:
        for port in service.ports:
            assert f"ports.{port.setting}" in known
            assert port.address in known


def test_no_port_has_two_services():
    ports = [port.setting for service in SERVICES for port in service.ports]
    assert len(ports) == len(set(ports))


def test_every_service_is_in_the_documentation():
    page = (DOCS / "architecture.md").read_text("utf-8")
    for service in SERVICES:
        assert f"`{service.name}`" in page


def test_a_box_without_federation_has_no_service_for_it(tmp_path):
    alone = settings(tmp_path, federation={"enabled": "no"})
    assert ours(settings(tmp_path)) == [*ours(alone), "s2s"]
    assert list(open_ports(alone, BY_NAME["s2s"])) == []


def test_names_of_what_is_turned_off_are_answered_by_c2s(tmp_path):
    box = settings(tmp_path, ports={"upload": 0})
    assert hosted(box)["upload.h"] == "c2s"
    assert hosted(box)["proxy.h"] == "upload"
    assert hosted(box)["rooms.h"] == "rooms"
