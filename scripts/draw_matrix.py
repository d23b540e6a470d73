"""Write the matrix of docs/reference/transports.md anew, from what the last run of each cell found.

`make conformance` leaves its figures in conformance/results.json; the exceptions, and the reasons
for them, are in conformance/cells.py.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from conformance.cells import CELLS, NOT_SPOKEN, REVISIONS, Cell  # noqa: E402 - the path comes first

PAGE: Final = ROOT / "docs/reference/transports.md"
BEGIN: Final = "<!-- matrix: written by scripts/draw_matrix.py -->"
END: Final = "<!-- end of matrix -->"
_ERAS: Final = {"both": "both eras", "modern": "2026-07-28 only", "legacy": "2025-11-25 only"}
_TRANSPORTS: Final = {"http": "Streamable HTTP", "stdio": "stdio", "sse": "HTTP+SSE"}


def table(figures: Mapping[str, Any]) -> str:
    """The table, then the exceptions with their reasons."""
    heads = " | ".join(f"client of {revision}" for revision in REVISIONS)
    rule = "|---" * (len(REVISIONS) + 2) + "|"
    lines = [f"| through | server behind the gateway | {heads} |", rule]
    for cell in CELLS:
        title = f"{cell.door.value} | {_TRANSPORTS[cell.transport]}, {_ERAS[cell.era]}"
        shown = " | ".join(_figure(figures, cell, revision) for revision in REVISIONS)
        lines.append(f"| {title} | {shown} |")
    return "\n".join([*lines, "", *_reasons(), "", *_as_client(figures)])


def _figure(figures: Mapping[str, Any], cell: Cell, revision: str) -> str:
    found = figures.get(f"{cell.name} {revision}")
    if found is None:
        return "not run"
    exceptions = len(cell.exceptions.get(revision, {}))
    rest = f", {exceptions} exceptions" if exceptions else ""
    return f"{found['passed']} of {found['of']}{rest}"


def _as_client(figures: Mapping[str, Any]) -> list[str]:
    """The other role: the suite's servers behind the gateway, and what it asks of them."""
    heads = " | ".join(f"server of {revision}" for revision in REVISIONS)
    lines = [f"| `bascule proxy` as the client | {heads} |", "|---" * (len(REVISIONS) + 1) + "|"]
    for title, key in (("requests, headers, questions", "client"), ("OAuth", "client auth")):
        found = [figures.get(f"{key} {revision}") for revision in REVISIONS]
        shown = ["not run" if one is None else f"{one['passed']} of {one['of']}" for one in found]
        lines.append(f"| {title} | {' | '.join(shown)} |")
    scenarios: dict[str, list[str]] = {}
    for scenario, reason in NOT_SPOKEN.items():
        scenarios.setdefault(reason, []).append(f"`{scenario}`")
    return [*lines, "", *(f"- {', '.join(names)}: {why}" for why, names in scenarios.items())]


def _reasons() -> list[str]:
    """Each reason once, with the scenarios it is for."""
    scenarios: dict[str, set[str]] = {}
    for cell in CELLS:
        for members in cell.exceptions.values():
            for scenario, reason in members.items():
                scenarios.setdefault(reason, set()).add(f"`{scenario}`")
    return [f"- {', '.join(sorted(names))}: {reason}" for reason, names in scenarios.items()]


def written(page: str, matrix: str) -> str:
    """`page` with `matrix` between its marks."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{matrix}\n\n{END}{after}"


def main() -> int:
    """Write the page, or with `--check` only say whether it is up to date."""
    results = ROOT / "conformance/results.json"
    figures: dict[str, Any] = json.loads(results.read_text()) if results.exists() else {}
    page = PAGE.read_text()
    fresh = written(page, table(figures))
    if "--check" in sys.argv[1:]:
        return 0 if fresh == page else 1
    PAGE.write_text(fresh)
    return 0


if __name__ == "__main__":
    sys.exit(main())
