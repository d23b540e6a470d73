"""Looking at versions of policies, and going back."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.policing import Note, enact, rehearse
from bascule.api.resources.policy_versions.schemas import (
    ChangesBody,
    Diff,
    Made,
    PolicyDiff,
    PolicyVersionList,
    Touched,
    Version,
    VersionShown,
)
from bascule.api.rules.bodies import PolicyShown, shown_of
from bascule.api.rules.checking import states_of
from bascule.api.rules.differing import lines_of, state_in
from bascule.gateway.errors import Conflict
from bascule.storage.documents import PolicyState, read_policy
from bascule.storage.repositories.policies import Document, Policies, policy_missing
from bascule.storage.repositories.policy_changes import (
    Alteration,
    PolicyChange,
    PolicyChanges,
    compare,
)

_MOST_NAMED: Final = 5


async def list_versions(
    control: Control, caller: Caller, page: int, limit: int
) -> PolicyVersionList:
    """A page of the tenant's versions, the newest first."""
    async with control.read(caller) as rows:
        found = await PolicyChanges(rows.session, rows.tenant_id).list(page, limit)
    versions = [Version.model_validate(_told(one)) for one in found.items]
    return PolicyVersionList(versions=versions, total=found.total, page=page, limit=limit)


async def show_version(control: Control, caller: Caller, number: int) -> VersionShown:
    """One version with what it changed.

    Raises:
        NotFound: there is none of that number.
    """
    async with control.read(caller) as rows:
        found = await PolicyChanges(rows.session, rows.tenant_id).get(number)
    return VersionShown.model_validate({**_told(found), "diff": diffs_of(found.alterations)})


async def diff_versions(control: Control, caller: Caller, before: int, after: int | None) -> Diff:
    """What leads from one version to another, by default to the one in force.

    Raises:
        NotFound: there is no such version.
    """
    async with control.read(caller) as rows:
        changes = PolicyChanges(rows.session, rows.tenant_id)
        until = await changes.latest() if after is None else after
        alterations = compare(await changes.state_at(before), await changes.state_at(until))
    return Diff(before=before, after=until, diff=diffs_of(alterations))


async def make_version(control: Control, caller: Caller, wanted: ChangesBody, reason: str) -> Made:
    """Change several policies at once, as one version; all of it or nothing.

    Raises:
        InvalidValue: a policy is not right.
        NotFound: one that is to go is not there.
        Conflict: a test would fail.
    """
    states = await states_of(control, caller, wanted.changes)
    ran = await rehearse(control, caller, states)
    details: dict[str, object] = {"policies": sorted(states), "reason": reason}
    async with control.change(caller, "policy.change", str(len(states)), details) as rows:
        known = await Policies(rows.session, rows.tenant_id).documents()
        for name, state in states.items():
            if state is None and name not in known:
                raise policy_missing(name, known)
        version, made = await enact(control, caller, rows, states, Note(reason), ran)
        details["version"] = version
    return made_of(version, made)


async def revert_version(control: Control, caller: Caller, number: int, reason: str) -> Made:
    """Undo what one version changed, as a new version.

    Raises:
        NotFound: there is none of that number.
        Conflict: a policy of it was changed since, or a test would fail.
    """
    details: dict[str, object] = {"reason": reason}
    async with control.change(caller, "policy.revert", str(number), details) as rows:
        changes = PolicyChanges(rows.session, rows.tenant_id)
        found = await changes.get(number)
        touched = await changes.touched_since(number)
        later = [one for one, _ in found.summary if one in touched]
        if later:
            raise Conflict(
                f"{_listed(later, touched)} since version {number}. Revert that first, or restore "
                f"version {number - 1} as a whole.",
                details={"policies": later},
            )
        wanted = {one.policy: _state(one.policy, one.before) for one in found.alterations}
        note = Note(reason, f"revert of version {number}")
        version, made = await enact(control, caller, rows, wanted, note)
        details["version"] = version
    return made_of(version, made)


async def restore_version(control: Control, caller: Caller, number: int, reason: str) -> Made:
    """Let every policy say what it said in that version, as a new version.

    Raises:
        NotFound: there is none of that number.
        Conflict: a test would fail.
    """
    details: dict[str, object] = {"reason": reason}
    async with control.change(caller, "policy.restore", str(number), details) as rows:
        changes = PolicyChanges(rows.session, rows.tenant_id)
        now = await Policies(rows.session, rows.tenant_id).documents()
        alterations = compare(now, await changes.state_at(number))
        wanted = {one.policy: _state(one.policy, one.after) for one in alterations}
        note = Note(reason, f"restored version {number}")
        version, made = await enact(control, caller, rows, wanted, note)
        details["version"] = version
    return made_of(version, made)


def diffs_of(alterations: Iterable[Alteration]) -> list[PolicyDiff]:
    """What each of `alterations` says."""
    return [
        PolicyDiff(
            policy=one.policy,
            change=one.deed,
            before=_shown(one.policy, one.before),
            after=_shown(one.policy, one.after),
            lines=lines_of(one),
        )
        for one in alterations
    ]


def made_of(version: int, alterations: Iterable[Alteration]) -> Made:
    """What a change came to."""
    touched = [Touched(policy=one.policy, change=one.deed) for one in alterations]
    return Made(version=version, changes=touched)


def _state(policy: str, document: Document | None) -> PolicyState | None:
    return None if document is None else read_policy(policy, document)


def _shown(policy: str, document: Document | None) -> PolicyShown | None:
    state = state_in(policy, document)
    return None if state is None else PolicyShown(**shown_of(state, whole=False))


def _told(change: PolicyChange) -> dict[str, object]:
    return {
        "number": change.number,
        "author": change.author,
        "reason": change.reason,
        "origin": change.origin,
        "created_at": change.created_at,
        "changes": [{"policy": policy, "change": deed} for policy, deed in change.summary],
    }


def _listed(policies: Sequence[str], touched: Mapping[str, int]) -> str:
    named = ", ".join(f"{one} (version {touched[one]})" for one in policies[:_MOST_NAMED])
    more = f" and {len(policies) - _MOST_NAMED} more" if len(policies) > _MOST_NAMED else ""
    return f"{named}{more} changed"
