"""The embedded engine against OPA's own: the same answers, or a known difference."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from bascule.gateway.rego import RegoAnswer, RegoDocument, RegoEngine, RegoFailed
from bascule.rego.evaluating import Document, Unusable
from bascule.rego.inspecting import inspect
from bascule.rego.opa import OpaEngine
from bascule.rego.pool import EmbeddedEngine
from contract.rego.programs import DIFFERENCES, PROGRAMS
from fakes.opa import Opa, answers_of, opa_server


def _module(program: str) -> str:
    return "package t\n" + program.replace(" ;; ", "\n")


@pytest.fixture(scope="module")
def theirs() -> dict[str, Any]:
    """What OPA says of each program."""
    return dict(zip(PROGRAMS, answers_of([_module(one) for one in PROGRAMS]), strict=True))


def _ours(program: str) -> dict[str, Any]:
    modules = {"t.rego": _module(program)}
    if faults := inspect(modules, "{}").faults:
        return {"fault": faults[0][3]}
    try:
        values = json.loads(Document(modules, "{}").values("data.t.x", b"{}"))
    except Unusable as error:
        return {"error": str(error)}
    return {"value": values[0]} if values else {}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_means_the_same_to_both_engines_or_differs_as_is_known(
    program: str, theirs: dict[str, Any]
) -> None:
    ours, other = _ours(program), theirs[program]
    known = DIFFERENCES.get(program)
    if known is None:
        refused = "error" in ours or "fault" in ours
        assert ours == other or (refused and "error" in other)
        return
    (kind, wanted), *_ = known.items() or [("", "")]
    if kind in {"error", "fault"}:
        assert wanted in ours[kind]
    else:
        assert ours == known
    assert ours != other


def test_every_known_difference_is_about_a_program_that_is_tried() -> None:
    assert set(DIFFERENCES) <= set(PROGRAMS)
    assert len(PROGRAMS) == len(set(PROGRAMS)) > 150


_AUTHZ = """package bascule.authz

import rego.v1

default allow := false

allow if {
	input.action == "discover"
	not denied
}

allow if {
	some group in input.groups
	input.tool.name in data.grants[group]
	not denied
}

denied if input.arguments.amount > data.limit

denied if not net.cidr_contains("10.0.0.0/8", input.ip)

denied if time.weekday(input.time_ns) == "Sunday"

reason := "too much, too far, or a Sunday" if denied

reason := sprintf("no group of %s has %s", [input.user, input.tool.name]) if {
	not denied
	not allow
}
"""
_DATA = {"grants": {"desk": ["book", "cancel"], "lab": ["book"]}, "limit": 100}


def _cases() -> Iterator[bytes]:
    for action in ("invoke", "discover"):
        for groups in ([], ["desk"], ["lab", "none"]):
            for tool in ("book", "cancel", "é"):
                for arguments in ({}, {"amount": 100}, {"amount": 101}, {"amount": "all"}):
                    for ip in ("10.1.2.3", "11.0.0.1", ""):
                        for moment in (1_795_341_600, 1_795_428_000):
                            yield json.dumps({
                                "action": action, "user": "ann", "groups": groups, "ip": ip,
                                "tool": {"name": tool}, "arguments": arguments,
                                "time_ns": moment * 10**9,
                            }).encode()  # fmt: skip


@pytest.fixture(scope="module")
def opa() -> Iterator[Opa]:
    with opa_server(token="s3cret") as server:
        server.put_policy("authz.rego", _AUTHZ)
        for name, value in _DATA.items():
            server.put_data(name, value)
        yield server


async def _outcomes(engine: RegoEngine, document: RegoDocument | None) -> list[RegoAnswer | None]:
    """None where there is no answer: that denies."""
    found: list[RegoAnswer | None] = []
    for given in _cases():
        try:
            found += await engine.evaluate("acme", document, [given], time.monotonic() + 30)
        except RegoFailed:
            found.append(None)
    return found


async def test_a_policy_decides_432_cases_alike_in_both_engines(opa: Opa) -> None:
    document = RegoDocument("d", {"authz.rego": _AUTHZ}, json.dumps(_DATA))
    async with (
        EmbeddedEngine(2, 5.0, 512 << 20) as embedded,
        OpaEngine(opa.url, "s3cret", 5.0) as server,
    ):
        ours, theirs = await _outcomes(embedded, document), await _outcomes(server, None)
    assert len(ours) == 432
    for mine, other in zip(ours, theirs, strict=True):
        # An address that is none is an error. OPA may have its answer before it looks at it.
        assert mine == other or (mine is None and other is not None and not other.allow)
    assert sum(one is None for one in ours) == len(ours) // 3
    assert {one.allow for one in ours if one} == {True, False}


async def test_many_cases_at_once_are_answered_in_their_order_by_both(opa: Opa) -> None:
    document = RegoDocument("d", {"authz.rego": _AUTHZ}, json.dumps(_DATA))
    cases = [one for one in _cases() if b'"ip": ""' not in one]
    deadline = time.monotonic() + 30
    async with (
        EmbeddedEngine(2, 5.0, 512 << 20) as embedded,
        OpaEngine(opa.url, "s3cret", 5.0) as server,
    ):
        ours = await embedded.evaluate("acme", document, cases, deadline)
        assert ours == await server.evaluate("acme", None, cases, deadline)
