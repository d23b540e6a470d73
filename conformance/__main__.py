"""Run the suite: `python -m conformance [--cells both,legacy] [--client]`.

First the reference server directly, then through the gateway, cell by cell. Exit status 1
where a check is lost that is no exception, or an exception is not needed any more.
"""

import argparse
import json
import sys
from pathlib import Path

from conformance import checks, suite
from conformance.cells import (
    AUTH_SCENARIOS,
    CELLS,
    CLIENT_SCENARIOS,
    MODERN,
    NOT_SPOKEN,
    REVISIONS,
    Cell,
)
from conformance.gateways import gateway, reference

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"


def run_servers(cells: list[Cell], out: Path) -> tuple[dict[str, object], int]:
    """The suite's server role, for all cells; gives the figures, and how much is wrong."""
    figures: dict[str, object] = {}
    wrong = 0
    with reference("both") as base:
        direct = {one: suite.run_server(f"{base}/mcp", one, out / "direct") for one in REVISIONS}
    for cell in cells:
        with gateway(cell, out / "data") as address:
            for revision in REVISIONS:
                relayed = suite.run_server(address, revision, out / cell.name)
                kept = sum(checks.passes(found) for found in relayed.values())
                complaints = checks.judge(cell, revision, direct[revision], relayed)
                wrong += len(complaints)
                print(f"{cell.name} {revision}: {kept}/{len(direct[revision])} scenarios pass")
                print("".join(f"    {line}\n" for line in complaints), end="")
                figures[f"{cell.name} {revision}"] = {
                    "passed": kept,
                    "of": len(direct[revision]),
                    "unexpected": len(complaints),
                }
    return figures, wrong


def run_clients(out: Path) -> tuple[dict[str, object], int]:
    """The suite's client role: the gateway as the client of the suite's own servers."""
    figures: dict[str, object] = {}
    wrong = 0
    for title, legs in (("client", CLIENT_SCENARIOS), ("client auth", AUTH_SCENARIOS)):
        for revision, scenarios in legs.items():
            passed = [one for one in scenarios if _passes(one, revision, out)]
            print(f"{title} {revision}: {len(passed)}/{len(scenarios)} scenarios pass")
            wrong += len(scenarios) - len(passed)
            figures[f"{title} {revision}"] = {"passed": len(passed), "of": len(scenarios)}
    for scenario in NOT_SPOKEN:
        if _passes(scenario, MODERN, out, expected=False):
            wrong += 1
            print(f"{scenario}: holds; take it out of what is not spoken")
    return figures, wrong


def _passes(scenario: str, revision: str, out: Path, *, expected: bool = True) -> bool:
    passed = suite.run_client(scenario, revision, out / "client", forced=not expected)
    if passed is not expected:
        print(f"    {revision} {scenario}: {'ok' if passed else 'FAILED'}")
    return passed


def main() -> int:
    """Run what was asked for, and keep the figures."""
    parser = argparse.ArgumentParser(prog="conformance")
    names = [cell.name for cell in CELLS]
    parser.add_argument("--cells", default=",".join(names), help=f"of {', '.join(names)}; or none")
    parser.add_argument("--client", action="store_true", help="the client role, too")
    parser.add_argument("--out", type=Path, default=HERE / "out")
    given = parser.parse_args()
    wanted = [] if given.cells == "none" else given.cells.split(",")
    if unknown := set(wanted) - set(names):
        parser.error(f"no such cell: {', '.join(sorted(unknown))}")
    suite.install()
    figures: dict[str, object] = {}
    wrong = 0
    if wanted:
        figures, wrong = run_servers([cell for cell in CELLS if cell.name in wanted], given.out)
    if given.client:
        more, failed = run_clients(given.out)
        figures, wrong = figures | more, wrong + failed
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps(kept | figures, indent=2, sort_keys=True) + "\n")
    return 1 if wrong else 0


sys.exit(main())
