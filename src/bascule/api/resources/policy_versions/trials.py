"""The tests that policies are held to, and running them."""

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.policing import tried
from bascule.api.resources.policy_versions.schemas import (
    TestBody,
    TestList,
    TestOutcome,
    TestReport,
    TestShown,
)
from bascule.storage.repositories.policy_tests import PolicyTest, PolicyTests, StoredPolicyTest


async def list_tests(control: Control, caller: Caller) -> TestList:
    """Every test of the caller's tenant."""
    async with control.read(caller) as rows:
        found = await PolicyTests(rows.session, rows.tenant_id).list()
    return TestList(tests=[_shown(one) for one in found], total=len(found))


async def show_test(control: Control, caller: Caller, name: str) -> TestShown:
    """One test.

    Raises:
        NotFound: there is none of that name.
    """
    async with control.read(caller) as rows:
        return _shown(await PolicyTests(rows.session, rows.tenant_id).get(name))


async def put_test(control: Control, caller: Caller, name: str, wanted: TestBody) -> TestShown:
    """Hold policies to a test from their next change on; the one of that name goes."""
    case = wanted.case.model_dump(mode="json", exclude_defaults=True)
    test = PolicyTest(name, case, wanted.expect, wanted.rule, wanted.description)
    details = {"case": case, "expect": wanted.expect.value, "rule": wanted.rule}
    async with control.change(caller, "policy_test.put", name, details) as rows:
        return _shown(await PolicyTests(rows.session, rows.tenant_id).put(test))


async def delete_test(control: Control, caller: Caller, name: str) -> None:
    """Hold policies to a test no more.

    Raises:
        NotFound: there is none of that name.
    """
    async with control.change(caller, "policy_test.delete", name) as rows:
        await PolicyTests(rows.session, rows.tenant_id).delete(name)


async def run_tests(control: Control, caller: Caller, draft: str | None) -> TestReport:
    """What comes of every test, with the policies in force or as a draft would have them.

    Raises:
        NotFound: there is no such draft.
    """
    async with control.read(caller) as rows:
        outcomes = await tried(control, caller, rows, draft)
    told = [
        TestOutcome(
            name=one.name,
            passed=one.passed,
            expected=one.expected,
            actual=one.actual,
            rule=one.decided_by,
            message=one.message,
        )
        for one in sorted(outcomes, key=lambda one: (one.passed, one.name))
    ]
    passed = sum(one.passed for one in outcomes)
    return TestReport(passed=passed, failed=len(told) - passed, tests=told)


def _shown(stored: StoredPolicyTest) -> TestShown:
    test = stored.test
    return TestShown(
        name=test.name,
        case=dict(test.case),
        expect=test.expected,
        rule=test.rule,
        description=test.description,
        created_at=stored.created_at,
        updated_at=stored.updated_at,
        updated_by=stored.updated_by,
    )
