"""Roles have to exist, Rego has to compile, and records say which policy it was."""

import pytest

from bascule.api.caller import Caller
from bascule.api.rules.bodies import PolicyBody
from bascule.api.rules.checking import recorded, require_roles, state_of, states_of
from bascule.gateway.errors import InvalidValue
from bascule.gateway.principal import Principal
from bascule.gateway.rule import Effect, Rule
from bascule.storage.documents import PolicyState
from unit.api.policies import ALLOW_ANN, rego_of, with_engine
from unit.api.site import Site

CALLER = Caller(Principal("default", "asha", frozenset({"admin"}), frozenset()), "c")
REGO = PolicyBody.model_validate({**rego_of(ALLOW_ANN, {"a": 1}), "description": "Ours."})


async def test_rego_is_compiled_and_what_it_reads_is_known(site: Site) -> None:
    async with with_engine(site) as able:
        state = await state_of(able.control, CALLER, "ours", REGO)
    assert state.rule.rego is not None
    assert state.rule.rego.reads == frozenset({("user",)})
    assert (state.rule.rego.data, state.description) == ('{"a":1}', "Ours.")


async def test_rego_that_is_wrong_is_named_by_its_policy(site: Site) -> None:
    body = PolicyBody.model_validate(rego_of("package elsewhere"))
    async with with_engine(site) as able:
        with pytest.raises(InvalidValue, match=r"ours: rego: .*bascule\.authz") as refused:
            await state_of(able.control, CALLER, "ours", body)
    assert refused.value.details["policy"] == "ours"


async def test_without_an_engine_only_other_types_are_taken(site: Site) -> None:
    listed = PolicyBody.model_validate({"type": "deny_list", "tools": ["a"]})
    found = await states_of(site.control, CALLER, {"a": listed, "b": None})
    assert found["b"] is None
    assert found["a"] is not None
    with pytest.raises(InvalidValue, match="set the engine to embedded"):
        await states_of(site.control, CALLER, {"a": REGO})


async def test_every_role_has_to_exist(site: Site) -> None:
    def state(*roles: str) -> PolicyState:
        return PolicyState(Rule("r", Effect.DENY, frozenset(roles)))

    async with site.control.read(CALLER) as rows:
        await require_roles(rows, [state("user", "admin"), None, state()])
        with pytest.raises(InvalidValue, match=r"Unknown roles: b, c\. There are admin, "):
            await require_roles(rows, [state("c", "user"), state("b")])


async def test_a_record_holds_no_module(site: Site) -> None:
    async with with_engine(site) as able:
        state = await state_of(able.control, CALLER, "ours", REGO)
    told = recorded(state)
    assert told["rego"] == {"digest": state.rule.rego and state.rule.rego.digest,
                            "files": ["authz.rego"]}  # fmt: skip
    assert told["type"] == "rego"
