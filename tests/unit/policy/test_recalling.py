from dataclasses import replace

import pytest

from bascule.gateway.principal import KeyRecord, Means
from bascule.gateway.rule import Effect
from bascule.gateway.snapshot import TenantView
from bascule.policy.recalling import arguments_of, caller_of, outcome_of, tool_of
from fakes.catalogue import make_principal, make_tool
from fakes.recollections import Recollection

NEW, OLD = make_tool("pay", version="2.1.0"), make_tool("pay", version="1.0.0")
VIEW = TenantView(
    "acme",
    tools={"pay": NEW},
    versions={"pay": (NEW, OLD)},
    bundle_tools={"desk": {"settle": replace(NEW, name="settle", bundle="desk")}},
    roles={"user": frozenset({"tools:list", "tools:execute"})},
)


@pytest.mark.parametrize(
    ("call", "effect"),
    [
        (Recollection(), Effect.ALLOW),
        (Recollection(status="failure", error_code="E3003"), Effect.ALLOW),
        (Recollection(status="cancelled"), Effect.ALLOW),
        (Recollection(status="denied", error_code="E1004", rule=""), Effect.DENY),
        (Recollection(status="denied", error_code="E3001", rule=""), Effect.DENY),
        (Recollection(status="denied", error_code="E1012", rule=""), Effect.ELEVATE),
        (Recollection(has_grant=True), Effect.ELEVATE),
    ],
)
def test_a_record_tells_what_policies_said(call: Recollection, effect: Effect) -> None:
    found = outcome_of(call)
    assert found is not None
    assert found.effect is effect


def test_a_call_that_was_over_before_policies_were_asked_has_no_outcome() -> None:
    assert outcome_of(Recollection(status="failure", error_code="E2002", rule="")) is None
    assert outcome_of(Recollection(status="denied", error_code="E1005", rule="")) is None


def test_a_tool_is_the_version_that_was_called_while_it_is_there() -> None:
    assert tool_of(VIEW, Recollection(tool_version="2.1.0")) is NEW
    assert tool_of(VIEW, Recollection(tool_version="1.0.0")) is OLD
    assert tool_of(VIEW, Recollection(tool_version="0.9.0")) is NEW
    assert tool_of(VIEW, Recollection(tool_version="")) is NEW
    assert tool_of(VIEW, Recollection("pay@1", tool_version="")) is OLD
    assert tool_of(VIEW, Recollection("gone")) is None


def test_a_tool_that_a_bundle_lends_is_the_bundles() -> None:
    found = tool_of(VIEW, Recollection(shown=("desk", "settle")))
    assert found is not None
    assert (found.name, found.bundle) == ("settle", "desk")
    assert tool_of(VIEW, Recollection(shown=("desk", "gone"))) is None


def test_a_caller_has_what_its_roles_permit_now() -> None:
    caller = caller_of(VIEW, Recollection(groups=("/desk",), agent="planner"), None, "u-1")
    assert caller.permissions == {"tools:list", "tools:execute"}
    assert (caller.subject, caller.groups, caller.agent) == ("ann", {"/desk"}, "planner")
    assert (caller.key_id, caller.user_id, caller.means) == ("key-1", "u-1", Means.API_KEY)
    assert not caller_of(VIEW, Recollection(roles=("gone",)), None, None).permissions


def test_what_a_key_was_limited_to_counts() -> None:
    limited = replace(make_principal(), withheld=frozenset({"tools:execute"}))
    caller = caller_of(VIEW, Recollection(), KeyRecord("key-1", limited), None)
    assert caller.permissions == {"tools:list"}


def test_arguments_that_were_not_kept_are_unknown() -> None:
    assert arguments_of(Recollection(sent=None)) is None
    assert arguments_of(Recollection(sent={"amount": 5, "who": "vip"})) == {
        "amount": 5,
        "who": "***",
    }
