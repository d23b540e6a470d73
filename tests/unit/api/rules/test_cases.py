"""Cases are decided as they are written."""

from typing import Any

import pytest
from pydantic import ValidationError

from bascule.api.rules.cases import CaseBody
from bascule.gateway.inventory import ItemKind
from bascule.gateway.rule import Action
from bascule.policy.hypothetical import Case


def test_a_case_that_says_little_is_about_anybody_now() -> None:
    assert CaseBody(tool="refund").case() == Case("refund")


def test_a_case_says_who_what_when_and_from_where() -> None:
    body = CaseBody.model_validate(
        {
            "tool": "greet",
            "kind": "prompt",
            "action": "discover",
            "user": "ann",
            "roles": ["user"],
            "groups": ["/staff"],
            "agent": "desk",
            "arguments": {"a": 1},
            "time": "1970-01-01T01:00:10+01:00",
            "ip": "2001:DB8::1",
            "bundle": "shop",
        }
    )
    assert body.case() == Case(
        tool="greet",
        action=Action.DISCOVER,
        user="ann",
        roles=("user",),
        groups=("/staff",),
        agent="desk",
        arguments={"a": 1},
        moment=10.0,
        peer="2001:db8::1",
        bundle="shop",
        kind=ItemKind.PROMPT,
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"tool": ""},
        {"kind": "resource"},
        {"user": ""},
        {"roles": [""]},
        {"ip": "10.0.0.1/8"},
        {"time": "yesterday"},
        {"arguments": []},
        {"arguments": {"a": "\0"}},
        {"moment": 5},
    ],
)
def test_a_case_that_is_not_right_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CaseBody.model_validate({"tool": "refund"} | wrong)
