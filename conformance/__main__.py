"""Run the suite: `python -m conformance [--cells both,legacy] [--client]`.

First the reference server directly, then through the gateway, cell by cell. Exit status 1
where a check is lost that is no exception, or an exception is not needed any more.
"""

import argparse
import json
import sys
from pathlib import Path

from conformance import checks, suite
from conformance.cells import CELLS, CLIENT_SCENARIOS, REVISIONS, Cell
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


def run_clients(out: Path) -> int:
    """The suite's client role: the gateway as the client of the suite's own servers."""
    failed = 0
    for revision, scenarios in CLIENT_SCENARIOS.items():
        for scenario in scenarios:
            passed = suite.run_client(scenario, revision, out / "client")
            failed += not passed
            print(f"client {revision} {scenario}: {'ok' if passed else 'FAILED'}")
    return failed


def main() -> int:
    """Run what was asked for, and keep the figures."""
    parser = argparse.ArgumentParser(prog="conformance")
    names = [cell.name for cell in CELLS]
    parser.add_argument("--cells", default=",".join(names), help=f"of {', '.join(names)}")
    parser.add_argument("--client", action="store_true", help="the client role, too")
    parser.add_argument("--out", type=Path, default=HERE / "out")
    given = parser.parse_args()
    wanted = given.cells.split(",")
    if unknown := set(wanted) - set(names):
        parser.error(f"no such cell: {', '.join(sorted(unknown))}")
    suite.install()
    figures, wrong = run_servers([cell for cell in CELLS if cell.name in wanted], given.out)
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps(kept | figures, indent=2, sort_keys=True) + "\n")
    if given.client:
        wrong += run_clients(given.out)
    return 1 if wrong else 0


sys.exit(main())
