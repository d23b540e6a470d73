"""What an import or a version changes, for people: the worst first, in colour on a terminal."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final

from bascule.cli.terminal import console_on, harmless

_STYLES: Final = {"breaking": "bold red", "risky": "yellow", "safe": "green"}
_ADDED: Final = "operation.added"


def print_diff(diff: Mapping[str, Any]) -> None:
    """Print the diff of an import, as the REST API gives it; tools that are new are not listed."""
    print_changes(_lines(diff))


def print_changes(changes: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """Print changes, each with what it is about, in groups by severity."""
    listed = list(changes)
    console = console_on(sys.stdout)
    for severity, style in _STYLES.items():
        group = [(about, change) for about, change in listed if change["severity"] == severity]
        if not group:
            continue
        console.print(f"{severity} ({len(group)})", style=style, markup=False)
        for about, change in group:
            place = f" {change['place']}" if change["place"] else ""
            console.print(harmless(f"  {about}{place}: {change['message']}"), markup=False)


def _lines(diff: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    for change in diff["api"]:
        yield "API", change
    for tool in diff["tools"]:
        about = tool["tool"]
        if tool["before"] != tool["version"]:
            about += f" {tool['before'] or ''}->{tool['version']}"
        for change in tool["changes"]:
            if change["kind"] != _ADDED:
                yield about, change
        if tool["kept"]:
            fields = ", ".join(tool["kept"])
            message = f"kept as edited by hand: {fields}."
            yield about, {"severity": "safe", "place": "", "message": message}
