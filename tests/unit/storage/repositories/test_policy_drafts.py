"""Drafts of policies are written, changed and thrown away."""

import pytest

from bascule.gateway.errors import Conflict, NotFound
from bascule.gateway.rule import Effect, Rule, RuleKind
from bascule.storage.database import Database
from bascule.storage.documents import PolicyState
from bascule.storage.repositories import policy_drafts
from bascule.storage.repositories.policy_drafts import PolicyDrafts
from bascule.storage.repositories.scope import TenantId

_STATE = PolicyState(
    Rule("a", Effect.DENY, frozenset(), kind=RuleKind.DENY_LIST, tools=frozenset({"x"})),
    "Not that one.",
    is_active=False,
)


async def test_a_draft_comes_back_as_it_was(database: Database, tenant: TenantId) -> None:
    async with database.change(author="asha") as session:
        made = await PolicyDrafts(session, tenant).put("night", 3, {"a": _STATE, "b": None}, "why")
    async with database.read() as session:
        drafts = PolicyDrafts(session, tenant)
        assert await drafts.get("night") == made == await drafts.find("night")
        assert await drafts.list() == (made,)
    assert made.changes == {"a": _STATE, "b": None}
    assert (made.base, made.reason, made.created_by, made.updated_by) == (3, "why", "asha", "asha")


async def test_who_changed_a_draft_is_told_beside_who_made_it(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="asha") as session:
        first = await PolicyDrafts(session, tenant).put("night", 0, {"a": None})
    async with database.change(author="bo") as session:
        second = await PolicyDrafts(session, tenant).put("night", 1, {})
    assert (second.created_by, second.updated_by, second.base) == ("asha", "bo", 1)
    assert second.changes == {}
    assert (second.created_at, second.updated_at > first.updated_at) == (first.created_at, True)


async def test_no_more_drafts_are_kept_than_there_may_be(
    database: Database, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy_drafts, "MOST_DRAFTS", 1)
    async with database.change(author="t") as session:
        drafts = PolicyDrafts(session, tenant)
        await drafts.put("night", 0, {})
        await drafts.put("night", 1, {})
        with pytest.raises(Conflict, match="no more than 1"):
            await drafts.put("day", 0, {})


async def test_a_draft_that_is_not_there_is_named_with_the_one_that_was_meant(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        drafts = PolicyDrafts(session, tenant)
        await drafts.put("night-shift", 0, {})
        for attempt in (drafts.get, drafts.delete):
            with pytest.raises(
                NotFound, match=r"no draft named night-shfit\. Did you mean night-s"
            ):
                await attempt("night-shfit")
        assert await drafts.find("night-shfit") is None
        await drafts.delete("night-shift")
        assert await drafts.list() == ()
