"""Making, listing and removing policies."""

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.policing import Note, enact, rehearse
from bascule.api.resources.policies.schemas import PolicyList
from bascule.api.rules.bodies import Policy, PolicyCreate, shown_of
from bascule.api.rules.checking import recorded, state_of
from bascule.gateway.errors import InvalidValue
from bascule.gateway.rule import RuleKind
from bascule.storage.repositories.policies import (
    Policies,
    StoredPolicy,
    name_taken,
    policy_missing,
)
from bascule.storage.repositories.policy_changes import PolicyChanges


async def list_policies(
    control: Control, caller: Caller, kind: RuleKind | None, *, is_active: bool | None
) -> PolicyList:
    """The policies of the caller's tenant."""
    async with control.read(caller) as rows:
        found = await Policies(rows.session, rows.tenant_id).list(kind, is_active=is_active)
        version = await PolicyChanges(rows.session, rows.tenant_id).latest()
    shown = [_shown(one, whole=False) for one in found]
    return PolicyList(policies=shown, total=len(shown), version=version)


async def show_policy(control: Control, caller: Caller, name: str) -> Policy:
    """One policy.

    Raises:
        NotFound: there is none of that name.
    """
    async with control.read(caller) as rows:
        return _shown(await Policies(rows.session, rows.tenant_id).get(name))


async def create_policy(
    control: Control, caller: Caller, wanted: PolicyCreate, reason: str
) -> Policy:
    """Make a policy; it is in force when this returns.

    Raises:
        InvalidValue: a role does not exist, so the policy would never match; or its Rego is wrong.
        Conflict: the name is taken, or a test would fail.
    """
    return await _put(control, caller, "policy.create", wanted, reason)


async def put_policy(
    control: Control, caller: Caller, name: str, wanted: PolicyCreate, reason: str
) -> Policy:
    """Make a policy, or replace the one of that name: at no time is neither in force.

    Raises:
        InvalidValue: as `create_policy`; or the names differ.
        Conflict: a test would fail.
    """
    if wanted.name != name:
        raise InvalidValue(
            f"The policy is named {wanted.name} in the body and {name} in the path.",
            details={"field": "name"},
        )
    return await _put(control, caller, "policy.put", wanted, reason)


async def _put(
    control: Control, caller: Caller, action: str, wanted: PolicyCreate, reason: str
) -> Policy:
    name, note = wanted.name, Note(wanted.reason or reason)
    state = await state_of(control, caller, name, wanted)
    ran = await rehearse(control, caller, {name: state})
    details = {**recorded(state), "reason": note.reason}
    async with control.change(caller, action, name, details) as rows:
        policies = Policies(rows.session, rows.tenant_id)
        if action == "policy.create" and await policies.find_document(name) is not None:
            raise name_taken(name)
        details["version"], _ = await enact(control, caller, rows, {name: state}, note, ran)
        return _shown(await policies.get(name))


async def delete_policy(control: Control, caller: Caller, name: str, reason: str) -> None:
    """Remove a policy; it is out of force when this returns.

    Raises:
        NotFound: there is none of that name.
        Conflict: a test would fail.
    """
    details: dict[str, object] = {"reason": reason}
    async with control.change(caller, "policy.delete", name, details) as rows:
        documents = await Policies(rows.session, rows.tenant_id).documents()
        if name not in documents:
            raise policy_missing(name, documents)
        details["version"], _ = await enact(control, caller, rows, {name: None}, Note(reason))


def _shown(stored: StoredPolicy, *, whole: bool = True) -> Policy:
    return Policy(
        **shown_of(stored.state, whole=whole),
        created_at=stored.created_at,
        updated_at=stored.updated_at,
    )
