"""Drafts of policies: written, looked at, tested, published."""

from bascule.api.caller import Caller
from bascule.api.control import Control, Rows
from bascule.api.policing import Note, alteration_of, enact, rehearse
from bascule.api.resources.policy_versions.schemas import (
    Diff,
    Draft,
    DraftBody,
    DraftEntry,
    DraftList,
    DraftPatch,
    Made,
)
from bascule.api.resources.policy_versions.versions import diffs_of, made_of
from bascule.api.rules.bodies import PolicyShown, shown_of
from bascule.api.rules.checking import require_roles, states_of
from bascule.gateway.errors import Conflict, InvalidValue
from bascule.storage.repositories.policies import Policies
from bascule.storage.repositories.policy_changes import PolicyChanges
from bascule.storage.repositories.policy_drafts import PolicyDrafts, StoredDraft


async def list_drafts(control: Control, caller: Caller) -> DraftList:
    """Every draft of the caller's tenant."""
    async with control.read(caller) as rows:
        found = await _drafts(rows).list()
        shown = [DraftEntry.model_validate(await _entry(rows, one)) for one in found]
        version = await _versions(rows).latest()
    return DraftList(drafts=shown, total=len(shown), version=version)


async def show_draft(control: Control, caller: Caller, name: str) -> Draft:
    """One draft.

    Raises:
        NotFound: there is none of that name.
    """
    async with control.read(caller) as rows:
        return await _shown(rows, await _drafts(rows).get(name))


async def put_draft(control: Control, caller: Caller, name: str, wanted: DraftBody) -> Draft:
    """Write a draft, in place of the one of that name.

    Raises:
        InvalidValue: a policy in it is not right, or the base is of the future.
    """
    changes = await states_of(control, caller, wanted.changes)
    details = {"policies": sorted(changes), "reason": wanted.reason}
    async with control.change(caller, "policy_draft.put", name, details) as rows:
        base = await _base(rows, wanted.base)
        await require_roles(rows, changes.values())
        return await _shown(rows, await _drafts(rows).put(name, base, changes, wanted.reason))


async def patch_draft(control: Control, caller: Caller, name: str, wanted: DraftPatch) -> Draft:
    """Change a draft.

    Raises:
        NotFound: there is none of that name.
        InvalidValue: as `put_draft`.
    """
    more = await states_of(control, caller, wanted.changes)
    details = {"policies": sorted(more), "drop": wanted.drop}
    async with control.change(caller, "policy_draft.update", name, details) as rows:
        before = await _drafts(rows).get(name)
        changes = {**before.changes, **more}
        for policy in wanted.drop:
            changes.pop(policy, None)
        base = before.base if wanted.base is None else await _base(rows, wanted.base)
        await require_roles(rows, more.values())
        reason = before.reason if wanted.reason is None else wanted.reason
        return await _shown(rows, await _drafts(rows).put(name, base, changes, reason))


async def delete_draft(control: Control, caller: Caller, name: str) -> None:
    """Throw a draft away.

    Raises:
        NotFound: there is none of that name.
    """
    async with control.change(caller, "policy_draft.delete", name) as rows:
        await _drafts(rows).delete(name)


async def diff_draft(control: Control, caller: Caller, name: str) -> Diff:
    """What a draft would change about the policies in force.

    Raises:
        NotFound: there is none of that name.
    """
    async with control.read(caller) as rows:
        draft = await _drafts(rows).get(name)
        now = await Policies(rows.session, rows.tenant_id).documents()
        version = await _versions(rows).latest()
    found = (
        alteration_of(policy, now.get(policy), draft.changes[policy])
        for policy in sorted(draft.changes)
    )
    wanted = [one for one in found if one.before != one.after]
    return Diff(before=version, after=None, diff=diffs_of(wanted))


async def publish_draft(control: Control, caller: Caller, name: str, reason: str) -> Made:
    """Put a draft in force as a new version; then it is no draft any more.

    Raises:
        NotFound: there is none of that name.
        Conflict: a policy of it was changed since its base, or a test would fail.
    """
    async with control.read(caller) as rows:
        drafted = await _drafts(rows).get(name)
    # Beforehand, as nobody else can change anything during a change.
    ran = await rehearse(control, caller, drafted.changes)
    details: dict[str, object] = {}
    async with control.change(caller, "policy_draft.publish", name, details) as rows:
        draft = await _drafts(rows).get(name)
        conflicts = await _conflicts(rows, draft)
        if conflicts:
            raise Conflict(
                f"Changed since version {draft.base}, which {name} is a draft on: "
                f"{', '.join(conflicts[:5])}. Look at the difference, and if the draft is still "
                "right, give it the version in force as its base.",
                details={"policies": conflicts, "base": draft.base},
            )
        note = Note(reason or draft.reason, f"draft {name}")
        version, made = await enact(control, caller, rows, draft.changes, note, ran)
        await _drafts(rows).delete(name)
        details |= {
            "version": version,
            "reason": note.reason,
            "policies": [one.policy for one in made],
        }
    return made_of(version, made)


def _drafts(rows: Rows) -> PolicyDrafts:
    return PolicyDrafts(rows.session, rows.tenant_id)


def _versions(rows: Rows) -> PolicyChanges:
    return PolicyChanges(rows.session, rows.tenant_id)


async def _base(rows: Rows, wanted: int | None) -> int:
    latest = await _versions(rows).latest()
    if wanted is not None and wanted > latest:
        raise InvalidValue(
            f"The base is a version there is, up to {latest}, not {wanted}.",
            details={"field": "base"},
        )
    return latest if wanted is None else wanted


async def _conflicts(rows: Rows, draft: StoredDraft) -> list[str]:
    touched = await _versions(rows).touched_since(draft.base)
    return sorted(touched.keys() & draft.changes.keys())


async def _entry(rows: Rows, draft: StoredDraft) -> dict[str, object]:
    return {
        "name": draft.name,
        "base": draft.base,
        "reason": draft.reason,
        "policies": sorted(draft.changes),
        "conflicts": await _conflicts(rows, draft),
        "created_by": draft.created_by,
        "updated_by": draft.updated_by,
        "created_at": draft.created_at,
        "updated_at": draft.updated_at,
    }


async def _shown(rows: Rows, draft: StoredDraft) -> Draft:
    changes = {
        policy: None if state is None else PolicyShown(**shown_of(state))
        for policy, state in sorted(draft.changes.items())
    }
    return Draft.model_validate({**await _entry(rows, draft), "changes": changes})
