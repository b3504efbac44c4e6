"""Brings a box in containers to new images, or back to what it was; runs on a bare Python.

    python3 tools/upgrade.py           build new images, try them, and let the box go over to them
    python3 tools/upgrade.py recover   finish or take back an upgrade that was cut off, if any
    python3 tools/upgrade.py undo      the images from before the last upgrade, and their database

    TAG=2            try the images with this tag, which are there already; nothing is built
    BACKUP=no        go on without a backup
    PATIENCE=300     seconds that services may take until they serve

What each step leaves is written into upgrade.json beside .env before it begins, so that whatever is
cut off is known.  What is done to the box itself is done by `hausbote upgrade conduct`, in a
container: as long as that lives, the containers of the box wait; when it dies with this program,
what was tried ends, and they take back what it has changed and serve.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from in_charge import Conductor, Journal, alone

from containers import Compose, Container, Problem, tag, try_docker

ROOT = Path(__file__).resolve().parent.parent
CANDIDATE = "new"  # the tag of images that are built here to be tried
PREVIOUS = "previous"  # and of those that the last upgrade has replaced
# Steps from which there is no way back but forward: containers may have new images, and use them.
FORWARD = ("switch", "keep", "kept")
PATIENCE = float(os.environ.get("PATIENCE", "300"))
LOOK = 0.5  # seconds between two looks, ...
STEADY = 5.0  # ... and after which all is looked at once more


def main(what: str) -> None:
    compose = Compose.of_environment()
    with alone(compose.directory):
        journal = Journal(compose.directory / "upgrade.json")
        recover(compose, journal)
        if what == "upgrade":
            upgrade(compose, journal)
        elif what == "undo":
            undo(compose, journal)


# -- an upgrade ------------------------------------------------------------------------------------


def upgrade(compose: Compose, journal: Journal) -> None:
    box = running(compose)
    candidate = os.environ.get("TAG", CANDIDATE)
    if candidate == compose.tag:
        raise Problem(f"The tag {candidate} is what the box has already, as .env says.")
    if "TAG" not in os.environ:
        build(compose)
    new = {name: compose.image_id(name, candidate) for name in compose.services()}
    old = {name: one.image for name, one in box.items()}
    if new == old:
        print("The box runs with these images already: there is nothing to do.")
        return
    back_up(box["c2s"])
    conductor = Conductor(box["c2s"])
    journal.begin("stop", old=old, new=new)
    try:
        go_over(compose, journal, conductor, candidate)
    except (Problem, KeyboardInterrupt) as problem:
        print(problem if str(problem) else "Stopped.", flush=True)
        take_back(compose, journal, conductor)
        raise Problem("The upgrade is taken back: the box serves as before.") from None
    conductor.end()
    journal.begin("kept")
    finish(compose, journal, new)
    print("The box serves with the new version. 'make upgrade-undo' would go back.")


def go_over(compose: Compose, journal: Journal, conductor: Conductor, candidate: str) -> None:
    """Everything that can still be taken back; Problem if it has to be."""
    print("The box stops, and its containers wait until the new version was tried.", flush=True)
    compose.run("restart", "--timeout", "10")
    journal.begin("save")
    conductor.does("save")
    journal.begin("trial")
    print("The new version is tried ...", flush=True)
    try_out(compose, journal, candidate)
    journal.begin("switch")
    print("It is good: the box goes over to it.", flush=True)
    for name, image in journal.known["old"].items():
        tag(image, compose.image(name, PREVIOUS))
    for name, image in journal.known["new"].items():
        tag(image, compose.image(name))
    compose.run("up", "--detach")
    journal.begin("keep")
    conductor.does("keep")


def take_back(compose: Compose, journal: Journal, conductor: Conductor) -> None:
    """If nobody is in charge any more, the box has done that by itself, with whatever images it has
    by now."""
    print("Everything goes back to what it was ...", flush=True)
    end_trial(compose)
    try:
        conductor.does("take-back")
    except Problem:
        if journal.known["step"] in FORWARD:
            finish(compose, journal, journal.known["new"])
            raise
    conductor.end()
    finish(compose, journal, journal.known["old"])


def running(compose: Compose) -> dict[str, Container]:
    box = compose.containers()
    if "c2s" not in box or not box["c2s"].is_running:
        raise Problem("The box does not run: 'make up' starts it, and then it can be upgraded.")
    return box


def build(compose: Compose) -> None:
    if compose.images != "hausbote":
        raise Problem(
            f"The images are {compose.images}/...: fetch new ones, and name their tag: TAG="
        )
    environment = os.environ | {"TAG": CANDIDATE}
    for command in (("setup.py", "images"), ("images.py", "build")):
        line = ["python3", ROOT / "tools" / command[0], command[1]]
        if subprocess.run(line, env=environment, check=False).returncode:
            raise Problem("There are no new images, and nothing was changed.")


def back_up(c2s: Container) -> None:
    """If the box has a place for backups."""
    if os.environ.get("BACKUP") == "no":
        return
    found = try_docker("exec", c2s.id, "hausbote", "backup", "create", "--if-ready")
    print(found.stdout, end="", flush=True)
    if found.returncode:
        raise Problem(
            f"{found.stderr.strip()}\nThere is no new backup, and nothing was changed. BACKUP=no"
            " upgrades without one."
        )


def try_out(compose: Compose, journal: Journal, candidate: str) -> None:
    """Let the new version have the box, with nobody to talk with; Problem if a service is not well.

    People are not let in, so nothing that comes from them can be lost if this is taken back.
    """
    trial = compose.trial(candidate)
    trial.run("up", "--detach")
    journal.begin("check")
    tried = trial.containers()
    until_well(tried)
    time.sleep(STEADY)
    until_well(tried)
    end_trial(compose)


def until_well(box: dict[str, Container]) -> None:
    """Wait until all services serve; Problem if one does not, after some minutes or for good."""
    deadline = time.monotonic() + PATIENCE
    while True:
        troubles = {name: sentence for name, one in box.items() if (sentence := one.trouble(name))}
        if not troubles:
            return
        for name in troubles:
            if box[name].has_ended():
                raise Problem(f"The container of {name} ended: {box[name].last_words()}")
        said = "\n".join(sorted(set(troubles.values())))
        if "being brought up to date" in said:
            deadline = time.monotonic() + PATIENCE
        if "ends as soon as it starts" in said or time.monotonic() > deadline:
            raise Problem(said)
        time.sleep(LOOK)


def end_trial(compose: Compose) -> None:
    compose.trial().run("down", "--volumes", "--timeout", "10")


# -- what comes after one, or in its place ---------------------------------------------------------


def finish(compose: Compose, journal: Journal, images: dict[str, str]) -> None:
    """Let the box run with these images, whatever of it runs now."""
    for name, image in images.items():
        tag(image, compose.image(name))
    compose.run("up", "--detach", *images)
    journal.end()
    try:
        until_well(compose.containers())
    except Problem as problem:
        print(f"The box is started, and not well yet: {problem}")


def recover(compose: Compose, journal: Journal) -> None:
    """What the last one has left when it was killed, or the power went."""
    known = journal.known
    if not known:
        return
    if known["step"] == "undo":
        print("Going back was cut off, and goes on.", flush=True)
        go_back(compose, journal)
        return
    print("An upgrade was cut off.", flush=True)
    end_trial(compose)
    if known["step"] in FORWARD:
        finish(compose, journal, known["new"])
        print("It is finished now: the box serves with the new version.")
    else:
        finish(compose, journal, known["old"])
        print("It is taken back: the box serves as before.")


def undo(compose: Compose, journal: Journal) -> None:
    """Go back although the upgrade was good."""
    box = running(compose)
    old = {name: compose.image_id(name, PREVIOUS) for name in box}
    if old == {name: one.image for name, one in box.items()}:
        raise Problem("The box runs with the images from before the last upgrade already.")
    if os.environ.get("YES") != "yes":
        print("If the database has changed with the upgrade, what people wrote since is lost.")
        if input("Go back? [y/N] ").strip().lower() != "y":
            raise Problem("Nothing was changed.")
    journal.begin("undo", old=old)
    go_back(compose, journal)


def go_back(compose: Compose, journal: Journal) -> None:
    """May be done once more if it was cut off."""
    old = journal.known["old"]
    compose.run("stop", "--timeout", "10")
    print(compose.containers()["c2s"].run_once(old["c2s"], "upgrade", "undo", "--yes"), end="")
    finish(compose, journal, old)
    print("The box serves with the version from before.")


if __name__ == "__main__":
    if sys.argv[1:] not in ([], ["recover"], ["undo"]):
        sys.exit("usage: python3 tools/upgrade.py [recover|undo]")
    try:
        main(*sys.argv[1:] or ["upgrade"])
    except Problem as problem:
        sys.exit(str(problem))
