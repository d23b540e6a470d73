"""What a run of the suite found, check by check, and what is lost between two runs."""

import json
import re
from pathlib import Path
from typing import Final, NamedTuple

from conformance.cells import NEVER_EXCUSED, OWN_STREAMS, Cell

_RANKS: Final = {"ABSENT": -1, "FAILURE": 0, "SKIPPED": 1, "WARNING": 2, "INFO": 3, "SUCCESS": 4}
_FOLDER: Final = re.compile(r"server-(?P<scenario>.+?)-\d{4}-\d\d-\d\dT.*")
_COUNTED: Final = frozenset({"SUCCESS", "WARNING"})


class Check(NamedTuple):
    """The worst that a check came to in its scenario."""

    status: str
    message: str = ""


class Loss(NamedTuple):
    """A check that holds directly, and does not, or less, through the gateway."""

    scenario: str
    check: str
    direct: str
    relayed: str
    message: str


Run = dict[str, dict[str, Check]]
"""Checks by scenario and id."""


def load(folder: Path) -> Run:
    """Read what the suite left in `folder`."""
    run: Run = {}
    for path in sorted(folder.glob("server-*/checks.json")):
        found = _FOLDER.fullmatch(path.parent.name)
        scenario = found["scenario"] if found else path.parent.name.removeprefix("server-")
        checks = run.setdefault(scenario, {})
        for one in json.loads(path.read_text()):
            check = Check(one["status"], one.get("errorMessage", ""))
            known = checks.get(one["id"])
            if known is None or _RANKS[check.status] < _RANKS[known.status]:
                checks[one["id"]] = check
    return run


def passes(checks: dict[str, Check]) -> bool:
    """Whether a scenario with these checks passes, as the suite counts."""
    return bool(checks) and all(check.status != "FAILURE" for check in checks.values())


def losses(direct: Run, relayed: Run) -> list[Loss]:
    """Every check that got worse on its way; one that is missing, or skipped, has got worse."""
    found: list[Loss] = []
    for scenario, checks in direct.items():
        for name, check in checks.items():
            if check.status not in _COUNTED:
                continue
            other = relayed.get(scenario, {}).get(name, Check("ABSENT"))
            if name in OWN_STREAMS and other.status != "FAILURE":
                continue
            if _RANKS[other.status] < _RANKS[check.status]:
                found.append(Loss(scenario, name, check.status, other.status, other.message))
    return found


def judge(cell: Cell, revision: str, direct: Run, relayed: Run) -> list[str]:
    """What is wrong with a cell: losses that are no exceptions, exceptions without a loss."""
    exceptions = cell.exceptions.get(revision, {})
    lost = losses(direct, relayed)
    wrong = [
        f"{loss.scenario}: {loss.check}: {loss.direct} -> {loss.relayed} {loss.message[:200]}"
        for loss in lost
        if loss.scenario not in exceptions or loss.check == NEVER_EXCUSED
    ]
    needed = {loss.scenario for loss in lost}
    counted = {name for name, found in direct.items() if passes(found)}
    stale = [name for name in exceptions if name in counted and name not in needed]
    return wrong + [f"{name}: holds; take it out of the exceptions" for name in stale]
