"""Holding policies to their tests."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from bascule.api.rules.cases import CaseBody
from bascule.gateway.errors import GatewayError
from bascule.gateway.rule import Effect
from bascule.gateway.snapshot import TenantView
from bascule.policy.explaining import quoted
from bascule.policy.hypothetical import Decides, decide_case
from bascule.storage.repositories.policy_tests import PolicyTest

_TESTS_SECONDS: Final = 20.0
"""For all tests together: nobody else can change anything meanwhile."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a test. `decided_by` is a policy or begins with `builtin:`; "" for nothing.

    `message` says what is wrong; empty where it passed.
    """

    name: str
    passed: bool
    message: str = ""
    expected: str = ""
    actual: str = ""
    decided_by: str = ""


async def outcomes_of(
    access: Decides,
    view: TenantView,
    tests: Sequence[PolicyTest],
    *,
    seconds: float = _TESTS_SECONDS,
) -> list[Outcome]:
    """What comes of `tests` in the tenant of `view`, which `access` has the rules of.

    Never raises: what cannot be decided, or not within `seconds` for all together, has failed.
    """
    deadline = time.monotonic() + seconds
    return [await _outcome(access, view, one, deadline) for one in tests]


async def _outcome(access: Decides, view: TenantView, test: PolicyTest, deadline: float) -> Outcome:
    if time.monotonic() > deadline:
        message = "it was not run, as all tests together take too long"
        return Outcome(test.name, passed=False, message=message, expected=test.expected)
    try:
        case = CaseBody.model_validate(test.case).case()
        decision = await decide_case(access, view, case, deadline=deadline)
    except ValidationError:
        message = "its case is of a form that this release does not know"
        return Outcome(test.name, passed=False, message=message, expected=test.expected)
    except GatewayError as failure:
        return Outcome(test.name, passed=False, message=failure.public, expected=test.expected)
    message = _complaint(test, decision.effect, decision.rule)
    return Outcome(
        name=test.name,
        passed=not message,
        message=message,
        expected=test.expected,
        actual=decision.effect,
        decided_by=decision.rule,
    )


def _complaint(test: PolicyTest, effect: Effect, rule: str) -> str:
    if effect is not test.expected:
        return f"it is {effect} by {quoted(rule)}, not {test.expected}"
    if test.rule and rule != test.rule:
        return f"it is {effect} by {quoted(rule)}, not by {quoted(test.rule)}"
    return ""
