"""From rounds to figures: medians, the table, the file, the floor that must be held."""

import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.load import Report
from bench.targets import Name

LEAST_CALLS_PER_S: Final = 8000
MOST_FOR_TOKENS: Final = 1.1
MOST_FOR_RULES: Final = 1.05
MOST_FOR_REGO: Final = 1.1
CPU_US_PER_CALL_BOUND: Final = 100
_BUSY: Final = 0.9
_NOISY: Final = 0.1


_SHARES: Final = {
    Name.TOKEN: (MOST_FOR_TOKENS, "the CPU of a call by access token is {:.2f} times"),
    Name.RULES: (MOST_FOR_RULES, "the CPU of a call under 10,000 rules is {:.2f} times"),
    Name.REGO: (MOST_FOR_REGO, "the CPU of a call under a decision in Rego is {:.2f} times"),
}


class Figures(msgspec.Struct, frozen=True):
    """What a target does: the median over its rounds, each figure by itself."""

    calls_per_s: float
    cpu_us_per_call: float
    p50_ms: float
    p99_ms: float


class Round(msgspec.Struct, frozen=True):
    """One load on one target. `load_cpu_share` is how much of a core the generator used."""

    round: int
    target: Name
    figures: Figures
    load_cpu_share: float
    report: Report

    @classmethod
    def of(cls, number: int, target: Name, report: Report) -> "Round":
        """Rates from the counts of `report`."""
        figures = Figures(
            calls_per_s=round(report.calls / report.seconds, 1),
            cpu_us_per_call=round(report.target_cpu_seconds / report.calls * 1e6, 2),
            p50_ms=report.p50_ms,
            p99_ms=report.p99_ms,
        )
        share = round(report.own_cpu_seconds / report.seconds, 3)
        return cls(number, target, figures, share, report)


class Results(msgspec.Struct, frozen=True):
    """A whole run. `figures` has the targets that were measured."""

    figures: dict[Name, Figures]
    machine: dict[str, str | int | float]
    options: dict[str, Any]
    rounds: list[Round]

    @classmethod
    def of(
        cls,
        rounds: Sequence[Round],
        machine: Mapping[str, str | int | float],
        options: Mapping[str, Any],
    ) -> "Results":
        """Medians over `rounds`."""
        figures = {
            name: _median([one.figures for one in rounds if one.target is name])
            for name in Name
            if any(one.target is name for one in rounds)
        }
        return cls(figures, dict(machine), dict(options), list(rounds))

    def ratio(self) -> dict[str, float] | None:
        """Governed to bare: calls a second and CPU a call; None unless both were measured."""
        governed, bare = self.figures.get(Name.GOVERNED), self.figures.get(Name.BARE)
        if governed is None or bare is None:
            return None
        return {
            "calls_per_s": round(governed.calls_per_s / bare.calls_per_s, 3),
            "cpu_us_per_call": round(governed.cpu_us_per_call / bare.cpu_us_per_call, 2),
        }

    def complaints(self) -> list[str]:
        """Where the governed figures miss what is promised."""
        governed = self.figures.get(Name.GOVERNED)
        if governed is None:
            return ["governed was not measured"]
        complaints: list[str] = []
        if governed.calls_per_s < LEAST_CALLS_PER_S:
            complaints.append(
                f"governed calls/s {governed.calls_per_s:,.0f} is below {LEAST_CALLS_PER_S:,}"
            )
        if governed.cpu_us_per_call >= CPU_US_PER_CALL_BOUND:
            complaints.append(
                f"governed CPU {governed.cpu_us_per_call:.1f} us a call is not below "
                f"{CPU_US_PER_CALL_BOUND}"
            )
        for name, (most, what) in _SHARES.items():
            figures = self.figures.get(name)
            if figures is not None:
                share = figures.cpu_us_per_call / governed.cpu_us_per_call
                if share > most:
                    complaints.append(f"{what.format(share)} that of governed")
        return complaints


def table(results: Results) -> list[str]:
    """The results for people, as plain lines."""
    lines = [f"{'':10}{'calls/s':>10}{'CPU us/call':>13}{'p50 ms':>9}{'p99 ms':>9}"]
    lines += [
        f"{name:10}{one.calls_per_s:>10,.0f}{one.cpu_us_per_call:>13.1f}"
        f"{one.p50_ms:>9.2f}{one.p99_ms:>9.2f}"
        for name, one in results.figures.items()
    ]
    ratio = results.ratio()
    if ratio is not None:
        calls, cpu = ratio["calls_per_s"], ratio["cpu_us_per_call"]
        lines.append(f"governed/bare: {calls:.2f} of the calls/s, {cpu:.1f} times the CPU")
    facts = results.machine
    lines.append(
        f"machine: {facts['cpu']}, {facts['cores']} cores, {facts['python']}, {facts['kernel']}, "
        f"journal on {facts['data_filesystem']}"
    )
    return lines + _cautions(results)


def _cautions(results: Results) -> list[str]:
    """What a reader must know before believing the figures."""
    cautions: list[str] = []
    busiest = max((one.load_cpu_share for one in results.rounds if _proxied(one)), default=0.0)
    if busiest > _BUSY:
        cautions.append(f"caution: the load generator used {busiest:.0%} of a core and may limit")
    noise = max(one.report.others_cpu_share for one in results.rounds)
    if noise > _NOISY:
        cautions.append(f"caution: other work took up to {noise:.0%} of the machine")
    if results.machine["data_filesystem"] in {"tmpfs", "ramfs"}:
        cautions.append("caution: the journal was in memory; set TMPDIR to a folder on disk")
    return cautions


def _proxied(one: Round) -> bool:
    return one.target is not Name.UPSTREAM  # there the generator's own limit is measured


def document(results: Results) -> dict[str, Any]:
    """The results for programs: a member per target, `machine`, `options`, `rounds`."""
    figures = {name.value: msgspec.to_builtins(one) for name, one in results.figures.items()}
    return {
        **figures,
        "governed_to_bare": results.ratio(),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": results.machine,
        "options": results.options,
        "rounds": msgspec.to_builtins(results.rounds),
    }


def save(results: Results, path: Path) -> None:
    """Write the document to `path` in one step; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(document(results))) + b"\n")
    unfinished.replace(path)


def _median(figures: Sequence[Figures]) -> Figures:
    return Figures(
        *(
            statistics.median(getattr(one, field) for one in figures)
            for field in Figures.__struct_fields__
        )
    )
