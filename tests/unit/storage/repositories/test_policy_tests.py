"""Tests of policies are kept as they are."""

import pytest

from bascule.gateway.errors import Conflict, NotFound
from bascule.gateway.rule import Effect
from bascule.storage.database import Database
from bascule.storage.repositories import policy_tests
from bascule.storage.repositories.policy_tests import PolicyTest, PolicyTests
from bascule.storage.repositories.scope import TenantId

_CASE = {"tool": "refund", "arguments": {"amount": 1.5, "tags": ["ü"]}, "time": None}


async def test_a_test_comes_back_as_it_was(database: Database, tenant: TenantId) -> None:
    wanted = PolicyTest("no refunds", _CASE, Effect.DENY, "night", "Not at night.")
    async with database.change(author="asha") as session:
        made = await PolicyTests(session, tenant).put(wanted)
    async with database.read() as session:
        tests = PolicyTests(session, tenant)
        assert await tests.get("no refunds") == made
        assert await tests.list() == (made,)
    assert (made.test, made.updated_by) == (wanted, "asha")


async def test_a_test_is_replaced_by_one_of_its_name(database: Database, tenant: TenantId) -> None:
    async with database.change(author="asha") as session:
        await PolicyTests(session, tenant).put(PolicyTest("t", _CASE, Effect.DENY))
    async with database.change(author="bo") as session:
        tests = PolicyTests(session, tenant)
        await tests.put(PolicyTest("t", {}, Effect.ELEVATE))
        (found,) = await tests.list()
    assert (found.test, found.updated_by) == (PolicyTest("t", {}, Effect.ELEVATE), "bo")


async def test_no_more_tests_are_kept_than_there_may_be(
    database: Database, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy_tests, "MOST_TESTS", 1)
    async with database.change(author="t") as session:
        tests = PolicyTests(session, tenant)
        await tests.put(PolicyTest("t", {}, Effect.DENY))
        await tests.put(PolicyTest("t", {}, Effect.ALLOW))
        with pytest.raises(Conflict, match="no more than 1"):
            await tests.put(PolicyTest("u", {}, Effect.DENY))


async def test_a_test_that_is_not_there_is_named_with_the_one_that_was_meant(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        tests = PolicyTests(session, tenant)
        await tests.put(PolicyTest("no refunds", _CASE, Effect.DENY))
        for attempt in (tests.get, tests.delete):
            with pytest.raises(NotFound, match=r"no test named no refund\. Did you mean no ref"):
                await attempt("no refund")
        await tests.delete("no refunds")
        assert await tests.list() == ()
