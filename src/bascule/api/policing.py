"""What a tenant's policies are, in force or as a draft would have them, and how they change."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from bascule.api.caller import Caller
from bascule.api.control import Control, Rows
from bascule.api.rules.checking import require_roles
from bascule.api.rules.differing import state_in
from bascule.api.rules.testing import Outcome, outcomes_of
from bascule.gateway.errors import Conflict
from bascule.gateway.rego import RegoDocument
from bascule.gateway.rule import Rule
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.policy.access import Access
from bascule.policy.rego.documents import TestStatus, run_tests
from bascule.policy.rego.syntax import TEST_SUFFIX
from bascule.storage.documents import PolicyState, policy_document
from bascule.storage.repositories.policies import Document, Policies
from bascule.storage.repositories.policy_changes import Alteration, PolicyChanges
from bascule.storage.repositories.policy_drafts import Changes, PolicyDrafts
from bascule.storage.repositories.policy_tests import PolicyTests

_MOST_NAMED: Final = 5
_REHEARSAL_SECONDS: Final = 60.0
_LOCKED_SECONDS: Final = 4.0
"""For tests within a transaction: nobody else can change anything meanwhile, in any tenant, and
waits for ten seconds at most."""

Rehearsed = Mapping[tuple[str, str], Sequence[Outcome]]
"""What came of the tests in documents, by the policy and the digest of its document."""


@dataclass(frozen=True, slots=True)
class Note:
    """Why policies are changed, and out of what (`draft night`); empty for a direct change."""

    reason: str = ""
    origin: str = ""


async def rules_of(rows: Rows, draft: str | None = None) -> tuple[Rule, ...]:
    """The active rules of the tenant by precedence, with the changes of the draft named.

    Raises:
        NotFound: there is no such draft.
        StorageError: a policy cannot be read; says which.
    """
    stored = await Policies(rows.session, rows.tenant_id).list()
    states: Changes = {one.rule.name: one.state for one in stored}
    if draft is not None:
        drafted = await PolicyDrafts(rows.session, rows.tenant_id).get(draft)
        states = {**states, **drafted.changes}
    return _active(states)


def candidate(view: TenantView, rules: tuple[Rule, ...]) -> TenantView:
    """`view` as it would be with `rules` in place of those in force."""
    return replace(view, rules=rules)


def access_over(control: Control, view: TenantView) -> Access:
    """Decisions of the tenant as `view` has it, made as those in force are made."""
    return control.decisions(Snapshot(control.snapshot().version, {view.tenant: view}))


async def tried(
    control: Control, caller: Caller, rows: Rows, draft: str | None = None
) -> list[Outcome]:
    """What comes of every test of the tenant's policies, in force or with the changes of a draft.

    The tests that come with documents in Rego are among them, named `POLICY: TEST`.

    Raises:
        NotFound: there is no such draft.
    """
    states: Changes = await _readable(rows)
    if draft is not None:
        drafted = await PolicyDrafts(rows.session, rows.tenant_id).get(draft)
        states = {**states, **drafted.changes}
    deadline = time.monotonic() + _REHEARSAL_SECONDS
    return await _outcomes(control, caller, rows, states, {}, deadline)


async def rehearse(control: Control, caller: Caller, changes: Changes) -> Rehearsed:
    """Run the tests in the documents of `changes`, for `enact`; before its transaction begins."""
    return await _rehearsed(control, caller.tenant, changes, time.monotonic() + _REHEARSAL_SECONDS)


async def enact(
    control: Control,
    caller: Caller,
    rows: Rows,
    changes: Changes,
    note: Note,
    ran: Rehearsed | None = None,
) -> tuple[int, tuple[Alteration, ...]]:
    """Change policies as a new version; gives its number and what it changed.

    What changes nothing makes no version. Call it within a transaction of `Control.change`; tests
    in documents that are not among those that `ran` are run there, and have little time.

    Raises:
        InvalidValue: a role does not exist.
        Conflict: a test fails; `failed` in its details says which, and how.
    """
    await require_roles(rows, changes.values())
    before = await Policies(rows.session, rows.tenant_id).apply(changes)
    found = (alteration_of(name, before.get(name), changes[name]) for name in sorted(changes))
    made = tuple(one for one in found if one.before != one.after)
    if made:
        deadline = time.monotonic() + _LOCKED_SECONDS
        _require_passed(await _outcomes(control, caller, rows, changes, ran or {}, deadline))
    versions = PolicyChanges(rows.session, rows.tenant_id)
    number = await versions.append(made, reason=note.reason, origin=note.origin)
    return number, made


def alteration_of(name: str, before: Document | None, state: PolicyState | None) -> Alteration:
    """What leads from the stored document `before` to `state`.

    Both are as this release writes them: members that it added change nothing by themselves.
    """
    known = state_in(name, before)
    after = None if state is None else policy_document(state)
    return Alteration(name, before if known is None else policy_document(known), after)


async def _outcomes(
    control: Control,
    caller: Caller,
    rows: Rows,
    changes: Changes,
    ran: Rehearsed,
    deadline: float,
) -> list[Outcome]:
    """Of all tests of the tenant, and of those in the documents of `changes`."""
    missing = {name: state for name, state in changes.items() if _digest_of(name, state) not in ran}
    run = {**ran, **await _rehearsed(control, caller.tenant, missing, deadline)}
    found = [
        one for name in sorted(changes) for one in run.get(_digest_of(name, changes[name]), ())
    ]
    stored = await PolicyTests(rows.session, rows.tenant_id).list()
    if not stored:
        return found
    in_force = control.snapshot().tenant(caller.tenant)
    view = candidate(in_force, _active({**await _readable(rows), **changes}))
    tests = [one.test for one in stored]
    seconds = deadline - time.monotonic()
    return found + await outcomes_of(access_over(control, view), view, tests, seconds=seconds)


async def _readable(rows: Rows) -> Mapping[str, PolicyState]:
    """What policies say, but for those that cannot be read: so that these can be removed.

    While there is one, no snapshot is made, and what was in force before stays.
    """
    documents = await Policies(rows.session, rows.tenant_id).documents()
    found = ((name, state_in(name, document)) for name, document in documents.items())
    return {name: state for name, state in found if state is not None}


def _active(states: Changes) -> tuple[Rule, ...]:
    rules = [one.rule for one in states.values() if one is not None and one.is_active]
    return tuple(sorted(rules, key=lambda rule: (-rule.priority, rule.name)))


async def _rehearsed(
    control: Control, tenant: str, changes: Changes, deadline: float
) -> dict[tuple[str, str], list[Outcome]]:
    found: dict[tuple[str, str], list[Outcome]] = {}
    for name, state in sorted(changes.items()):
        document = None if state is None else state.rule.rego
        if control.rego is None or document is None or not _has_tests(document):
            continue
        found[name, document.digest] = [
            Outcome(f"{name}: {one.file}: {one.name}", one.status is TestStatus.PASSED, one.why)
            for one in await run_tests(control.rego, document, tenant=tenant, deadline=deadline)
            if one.status is not TestStatus.SKIPPED
        ]
    return found


def _has_tests(document: RegoDocument) -> bool:
    return any(file.endswith(TEST_SUFFIX) for file in document.modules)


def _digest_of(name: str, state: PolicyState | None) -> tuple[str, str]:
    """What the tests in the document of a policy are known by."""
    document = None if state is None else state.rule.rego
    return name, "" if document is None else document.digest


def _require_passed(outcomes: list[Outcome]) -> None:
    failed = [one for one in outcomes if not one.passed]
    if not failed:
        return
    named = "; ".join(f"{one.name}: {one.message}" for one in failed[:_MOST_NAMED])
    more = f"; and {len(failed) - _MOST_NAMED} more" if len(failed) > _MOST_NAMED else ""
    told: list[dict[str, Any]] = [asdict(one) for one in failed]
    raise Conflict(
        f"Nothing was changed, as {len(failed)} of {len(outcomes)} tests of policies would fail. "
        f"{named}{more}.",
        details={"failed": told},
    )
