"""Making, listing and removing access rules."""

from bascule.api.caller import Caller
from bascule.api.control import Control, Rows
from bascule.api.resources.policies.schemas import Policy, PolicyCreate
from bascule.gateway.errors import InvalidValue
from bascule.gateway.rule import RbacRule
from bascule.storage.repositories.policies import Policies, StoredPolicy
from bascule.storage.repositories.roles import Roles


async def list_policies(control: Control, caller: Caller) -> list[Policy]:
    """Every rule of the caller's tenant."""
    async with control.read(caller) as rows:
        return [_shown(one) for one in await Policies(rows.session, rows.tenant_id).list()]


async def create_policy(control: Control, caller: Caller, wanted: PolicyCreate) -> Policy:
    """Make a rule; it is in force when this returns.

    Raises:
        InvalidValue: a role does not exist, so the rule would never match.
        Conflict: the name is taken.
    """
    rule = _rule(wanted)
    details = _details(wanted)
    async with control.change(caller, "policy.create", wanted.name, details) as rows:
        await _refuse_unknown(rows, rule.roles)
        policies = Policies(rows.session, rows.tenant_id)
        return _shown(await policies.create(rule, wanted.description))


async def put_policy(control: Control, caller: Caller, name: str, wanted: PolicyCreate) -> Policy:
    """Make a rule, or replace the one of that name: at no time is neither in force.

    Raises:
        InvalidValue: a role does not exist, so the rule would never match; or the names differ.
    """
    if wanted.name != name:
        raise InvalidValue(
            f"The rule is named {wanted.name} in the body and {name} in the path.",
            details={"field": "name"},
        )
    rule = _rule(wanted)
    async with control.change(caller, "policy.put", name, _details(wanted)) as rows:
        await _refuse_unknown(rows, rule.roles)
        policies = Policies(rows.session, rows.tenant_id)
        return _shown(await policies.put(rule, wanted.description))


def _details(wanted: PolicyCreate) -> dict[str, object]:
    return wanted.model_dump(mode="json", exclude={"name", "description"})


def _rule(wanted: PolicyCreate) -> RbacRule:
    return RbacRule(
        name=wanted.name,
        effect=wanted.effect,
        roles=frozenset(wanted.roles),
        actions=frozenset(wanted.actions),
        bundles=frozenset(wanted.bundles),
        tools=frozenset(wanted.tools),
        prompts=frozenset(wanted.prompts),
        resources=frozenset(wanted.resources),
        risks=frozenset(wanted.risks),
        priority=wanted.priority,
    )


async def delete_policy(control: Control, caller: Caller, name: str) -> None:
    """Remove a rule; it is out of force when this returns.

    Raises:
        NotFound: there is none of that name.
    """
    async with control.change(caller, "policy.delete", name) as rows:
        await Policies(rows.session, rows.tenant_id).delete(name)


async def _refuse_unknown(rows: Rows, roles: frozenset[str]) -> None:
    known = {role.name for role in await Roles(rows.session, rows.tenant_id).list()}
    unknown = sorted(roles - known)
    if unknown:
        raise InvalidValue(
            f"Unknown roles: {', '.join(unknown)}. There are {', '.join(sorted(known))}.",
            details={"field": "roles", "known": sorted(known)},
        )


def _shown(stored: StoredPolicy) -> Policy:
    rule = stored.rule
    return Policy(
        name=rule.name,
        effect=rule.effect,
        roles=sorted(rule.roles),
        actions=sorted(rule.actions),
        bundles=sorted(rule.bundles),
        tools=sorted(rule.tools),
        prompts=sorted(rule.prompts),
        resources=sorted(rule.resources),
        risks=sorted(rule.risks),
        priority=rule.priority,
        description=stored.description,
        is_active=stored.is_active,
        created_at=stored.created_at,
    )
