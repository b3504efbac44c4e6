"""The settings as text: hausbote.toml of a new box, and docs/settings.md."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

from hausbote.base.settings import Settings
from hausbote.base.settings_sections import documented

_SECTIONS = {f.name: f.type for f in fields(Settings) if is_dataclass(f.type)}


def toml_file(chosen: Mapping[str, Any]) -> str:
    """hausbote.toml: what was chosen, and everything else as a comment with its default."""
    lines = [
        "# The settings of this box.  'hausbote config check' tells what is wrong with them.",
        "# A line that begins with # does nothing: to choose a value, take the # away, too.",
    ]
    section = ""
    for key, option in documented(Settings):
        before, _, name = key.rpartition(".")
        if before != section:
            section = before
            lines += ["", f"[{section}]", f"# {_SECTIONS[section].__doc__}"]
        lines += ["", f"# {option.metadata['doc']}"]
        if key in chosen:
            lines.append(f"{name} = {toml_value(chosen[key])}")
        else:
            lines.append(f"#{name} = {toml_value(option.default)}")
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "A box has one file of settings, `hausbote.toml` in its state directory. `hausbote init`",
        "writes it with every setting and its explanation, those with their default behind a `#`.",
        "`--set section.key=value` chooses values there and then, a list as",
        '`--set \'section.key=["one", "two"]\'`. `hausbote config check` names everything that is',
        "wrong, files that are not there, and what was changed and left behind its `#`;",
        "`hausbote config show` prints what is in force. A service that finds a wrong setting",
        "does not start. Changes take effect with the next `hausbote run`.",
        "",
        "This page is made from the settings' own definitions by `make docs`.",
        "",
        "## Top of the file",
        "",
        *_table_head(),
    ]
    section = ""
    for key, option in documented(Settings):
        before, _, name = key.rpartition(".")
        if before != section:
            section = before
            lines += [
                "",
                f"## [{section}]",
                "",
                str(_SECTIONS[section].__doc__),
                "",
                *_table_head(),
            ]
        default = "required" if option.default is MISSING else f"`{toml_value(option.default)}`"
        lines.append(f"| `{name}` | {default} | {_explanation(option.metadata)} |")
    return "\n".join(lines) + "\n"


def _table_head() -> list[str]:
    return ["| setting | default | meaning |", "|---|---|---|"]


def _explanation(metadata: Mapping[str, Any]) -> str:
    choices = metadata["choices"]
    doc: str = metadata["doc"]
    return f"{doc} One of: {', '.join(choices)}." if choices else doc


def toml_value(value: object) -> str:
    """A value as TOML writes it."""
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
