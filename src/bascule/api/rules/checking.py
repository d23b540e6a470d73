"""What has to be true of policies beyond their form: roles that exist, and Rego that compiles."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from bascule.api.caller import Caller
from bascule.api.control import Control, Rows
from bascule.api.rules.bodies import PolicyBody, rule_of
from bascule.gateway.errors import InvalidValue
from bascule.gateway.rego import RegoDocument
from bascule.policy.rego.documents import examine
from bascule.storage.documents import PolicyState
from bascule.storage.repositories.roles import Roles

_NO_ENGINE: Final = (
    "Rego policies cannot be kept here: an OPA server decides, with the documents it has "
    "(policy.rego_engine), or no engine runs. Give the documents to that server, or set the "
    "engine to embedded."
)


async def state_of(control: Control, caller: Caller, name: str, body: PolicyBody) -> PolicyState:
    """What `body` makes of the policy `name`. Its Rego is compiled, which takes a moment.

    Raises:
        InvalidValue: Rego does not compile, or none can be had here.
    """
    document = await _document(control, caller.tenant, name, body)
    return PolicyState(rule_of(name, body, document), body.description, body.is_active)


async def states_of(
    control: Control, caller: Caller, bodies: Mapping[str, PolicyBody | None]
) -> dict[str, PolicyState | None]:
    """As `state_of`, of several policies by name; None for those that are to go."""
    return {
        name: None if body is None else await state_of(control, caller, name, body)
        for name, body in bodies.items()
    }


async def _document(
    control: Control, tenant: str, name: str, body: PolicyBody
) -> RegoDocument | None:
    if body.rego is None:
        return None
    if control.rego is None:
        raise InvalidValue(_NO_ENGINE, details={"field": "rego", "policy": name})
    try:
        return await examine(control.rego, body.rego.modules, body.rego.data, tenant=tenant)
    except InvalidValue as fault:
        details = {**fault.details, "policy": name}
        raise InvalidValue(f"{name}: {fault.public}", details=details) from None


async def require_roles(rows: Rows, states: Iterable[PolicyState | None]) -> None:
    """Pass where every role that `states` name exists: a rule about another would never match.

    Raises:
        InvalidValue: one does not; names it, and those there are.
    """
    wanted = {role for one in states if one is not None for role in one.rule.roles}
    if not wanted:
        return
    known = sorted(role.name for role in await Roles(rows.session, rows.tenant_id).list())
    unknown = sorted(wanted.difference(known))
    if unknown:
        raise InvalidValue(
            f"Unknown roles: {', '.join(unknown)}. There are {', '.join(known)}.",
            details={"field": "roles", "known": known},
        )


def recorded(state: PolicyState) -> Mapping[str, Any]:
    """What the record of a change says of a policy: all of it, but of Rego only what it is."""
    rule = state.rule
    sets = ("roles", "users", "groups", "agents", "actions", "bundles", "tools", "prompts")
    found: dict[str, Any] = {
        "type": rule.kind.value,
        "effect": rule.effect.value,
        "priority": rule.priority,
        "is_active": state.is_active,
        **{name: sorted(getattr(rule, name)) for name in (*sets, "resources", "risks", "tags")},
    }
    if rule.rego is not None:
        found["rego"] = {"digest": rule.rego.digest, "files": sorted(rule.rego.modules)}
    return found
