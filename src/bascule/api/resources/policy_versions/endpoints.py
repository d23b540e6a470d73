"""`/api/admin/policy/versions`, `/drafts`, `/tests` and `/test`."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query

from bascule.api.access import ControlPlane, PolicyReader, PolicyWriter
from bascule.api.names import Name
from bascule.api.reasons import StatedReason
from bascule.api.resources.policy_versions import drafts, trials, versions
from bascule.api.resources.policy_versions.schemas import (
    Because,
    ChangesBody,
    Diff,
    Draft,
    DraftBody,
    DraftList,
    DraftName,
    DraftPatch,
    Made,
    PolicyVersionList,
    Removed,
    TestBody,
    TestList,
    TestReport,
    TestRun,
    TestShown,
    VersionShown,
)

router = APIRouter(prefix="/api/admin/policy", tags=["policies"])

Number = Annotated[int, Path(ge=0, le=2**31 - 1)]
_AT_ALL: Final = Because()
_IN_FORCE: Final = TestRun()


@router.get("/versions")
async def list_versions(
    control: ControlPlane, caller: PolicyReader, page: int = 1, limit: int = 50
) -> PolicyVersionList:
    """List the versions of the tenant's policies, the newest first."""
    return await versions.list_versions(control, caller, page, limit)


@router.post("/versions", status_code=201)
async def make_version(
    control: ControlPlane, caller: PolicyWriter, wanted: ChangesBody, reason: StatedReason = ""
) -> Made:
    """Change several policies at once, all or none. Makes one version."""
    return await versions.make_version(control, caller, wanted, wanted.reason or reason)


@router.get("/versions/{number}")
async def show_version(control: ControlPlane, caller: PolicyReader, number: Number) -> VersionShown:
    """Show a version: who made it, why, and what it changed."""
    return await versions.show_version(control, caller, number)


@router.get("/versions/{number}/diff")
async def diff_versions(
    control: ControlPlane,
    caller: PolicyReader,
    number: Number,
    to: Annotated[int | None, Query(ge=0, le=2**31 - 1)] = None,
) -> Diff:
    """Show what leads from one version to another, or to the one in force."""
    return await versions.diff_versions(control, caller, number, to)


@router.post("/versions/{number}/revert")
async def revert_version(
    control: ControlPlane,
    caller: PolicyWriter,
    number: Number,
    wanted: Because = _AT_ALL,
    reason: StatedReason = "",
) -> Made:
    """Undo what this version changed, unless it was changed since. Makes a new version."""
    why = wanted.reason or reason
    return await versions.revert_version(control, caller, number, why)


@router.post("/versions/{number}/restore")
async def restore_version(
    control: ControlPlane,
    caller: PolicyWriter,
    number: Number,
    wanted: Because = _AT_ALL,
    reason: StatedReason = "",
) -> Made:
    """Go back to what all policies said in this version. Makes a new version."""
    why = wanted.reason or reason
    return await versions.restore_version(control, caller, number, why)


@router.get("/drafts")
async def list_drafts(control: ControlPlane, caller: PolicyReader) -> DraftList:
    """List drafts."""
    return await drafts.list_drafts(control, caller)


@router.get("/drafts/{name}")
async def show_draft(control: ControlPlane, caller: PolicyReader, name: str) -> Draft:
    """Show a draft."""
    return await drafts.show_draft(control, caller, name)


@router.put("/drafts/{name}")
async def put_draft(
    control: ControlPlane, caller: PolicyWriter, name: DraftName, wanted: DraftBody
) -> Draft:
    """Write a draft: changes of policies that are not in force."""
    return await drafts.put_draft(control, caller, name, wanted)


@router.patch("/drafts/{name}")
async def patch_draft(
    control: ControlPlane, caller: PolicyWriter, name: str, wanted: DraftPatch
) -> Draft:
    """Put changes into a draft, or take some out."""
    return await drafts.patch_draft(control, caller, name, wanted)


@router.delete("/drafts/{name}")
async def delete_draft(control: ControlPlane, caller: PolicyWriter, name: str) -> Removed:
    """Throw a draft away."""
    await drafts.delete_draft(control, caller, name)
    return Removed(removed=name)


@router.get("/drafts/{name}/diff")
async def diff_draft(control: ControlPlane, caller: PolicyReader, name: str) -> Diff:
    """Show what a draft would change."""
    return await drafts.diff_draft(control, caller, name)


@router.post("/drafts/{name}/test")
async def test_draft(control: ControlPlane, caller: PolicyReader, name: str) -> TestReport:
    """Run the tests with the policies as a draft would have them."""
    return await trials.run_tests(control, caller, name)


@router.post("/drafts/{name}/publish")
async def publish_draft(
    control: ControlPlane,
    caller: PolicyWriter,
    name: str,
    wanted: Because = _AT_ALL,
    reason: StatedReason = "",
) -> Made:
    """Put a draft in force, once all tests pass. Makes a new version."""
    return await drafts.publish_draft(control, caller, name, wanted.reason or reason)


@router.get("/tests")
async def list_tests(control: ControlPlane, caller: PolicyReader) -> TestList:
    """List the tests that every change of policies has to pass."""
    return await trials.list_tests(control, caller)


@router.get("/tests/{name:path}")
async def show_test(control: ControlPlane, caller: PolicyReader, name: str) -> TestShown:
    """Show a test."""
    return await trials.show_test(control, caller, name)


@router.put("/tests/{name:path}")
async def put_test(
    control: ControlPlane, caller: PolicyWriter, name: Name, wanted: TestBody
) -> TestShown:
    """Keep a test, or replace the one of that name. It counts from the next change on."""
    return await trials.put_test(control, caller, name, wanted)


@router.delete("/tests/{name:path}")
async def delete_test(control: ControlPlane, caller: PolicyWriter, name: str) -> Removed:
    """Remove a test."""
    await trials.delete_test(control, caller, name)
    return Removed(removed=name)


@router.post("/test")
async def run_tests(
    control: ControlPlane, caller: PolicyReader, wanted: TestRun = _IN_FORCE
) -> TestReport:
    """Run all tests, with the policies in force or as a draft would have them."""
    return await trials.run_tests(control, caller, wanted.draft)
