"""What an import meets is looked at before it, and is seen to have changed where it has."""

from collections.abc import Sequence

import pytest

from bascule.catalogue.openapi.drafts import ToolDraft
from bascule.catalogue.planning import plan_import
from bascule.gateway.errors import Conflict
from bascule.gateway.tool import RestSource, RiskLevel, ToolStatus
from bascule.storage.database import Database
from bascule.storage.repositories.imports import ImportDraft, Imports, StoredImport
from bascule.storage.repositories.publications import Publications
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.surveys import Survey, Surveys, upstream_name
from bascule.storage.repositories.tools import Tools


def drafts(*names: str, description: str = "D.") -> list[ToolDraft]:
    return [
        ToolDraft(name, None, description, {}, None, RestSource("", "GET", f"/{name}"),
                  RiskLevel.READ)
        for name in names
    ]  # fmt: skip


async def look(
    database: Database, tenant: TenantId, names: Sequence[str], title: str = "Shop"
) -> Survey:
    async with database.read() as session:
        return await Surveys(session, tenant).look("b", title, names)


async def stored(
    database: Database,
    tenant: TenantId,
    tools: Sequence[ToolDraft],
    *,
    title: str = "Shop",
    url: str = "http://h",
    publish: bool = True,
) -> StoredImport:
    """An import as the service would make it."""
    async with database.change(author="asha") as session:
        surveys = Surveys(session, tenant)
        survey = await surveys.look("b", title, [tool.name for tool in tools])
        plan = plan_import(tools, url, survey.place, await surveys.known(survey))
        in_use = survey.place.base_url is not None
        upstream = survey.place.upstream
        draft = ImportDraft(title, "1", "b", upstream, url, b"{}", plan, is_in_use=in_use)
        publications = Publications(session, tenant)
        kept = await publications.store(draft)
        return await publications.publish(kept) if publish else kept


async def test_nothing_is_known_at_first(database: Database, tenant: TenantId) -> None:
    survey = await look(database, tenant, ["a"])
    assert survey.versions == {}
    assert (survey.published, survey.waiting) == (None, None)
    assert (survey.place.upstream, survey.place.base_url) == ("b.shop", None)


async def test_all_tools_of_the_api_are_met_and_drafts_do_not_count(
    database: Database, tenant: TenantId
) -> None:
    first = await stored(database, tenant, drafts("a", "b"))
    waiting = await stored(database, tenant, drafts("a", description="E."), publish=False)
    survey = await look(database, tenant, ["a"])
    assert sorted(survey.versions) == ["a", "b"]
    assert (survey.published, survey.waiting) == (first, waiting)
    assert survey.place.base_url == "http://h"
    best = survey.baseline("a")
    assert best is not None
    assert (best.version, best.status) == ("1.0.0", "active")
    async with database.read() as session:
        surveys = Surveys(session, tenant)
        known = await surveys.known(survey)
        assert sorted(known["a"].versions) == ["1.0.0", "1.1.0"]
        without = await surveys.known(survey, replaced=waiting.id)
        assert without["a"].versions == ("1.0.0",)
        assert (known["b"].deprecated, known["b"].is_removed) == (False, False)


async def test_whatever_changes_changes_the_mark(database: Database, tenant: TenantId) -> None:
    await stored(database, tenant, drafts("a"))
    before = await look(database, tenant, ["a"])
    assert (await look(database, tenant, ["a"])).mark == before.mark
    async with database.change(author="ravi") as session:
        await Tools(session, tenant).set_status("a", ToolStatus.INACTIVE)
    assert (await look(database, tenant, ["a"])).mark != before.mark


async def test_a_version_that_was_rolled_back_does_not_count(
    database: Database, tenant: TenantId
) -> None:
    only = await stored(database, tenant, drafts("a"))
    async with database.change(author="ravi") as session:
        await Publications(session, tenant).roll_back(only)
    assert (await look(database, tenant, ["a"])).baseline("a") is None


async def test_another_title_is_the_same_api_where_most_tools_are(
    database: Database, tenant: TenantId
) -> None:
    await stored(database, tenant, drafts("a", "b"))
    assert (await look(database, tenant, ["a", "b", "c"], "New")).place.upstream == "b.shop"
    assert (await look(database, tenant, ["a", "x", "y"], "New")).place.upstream == "b.new"
    await stored(database, tenant, drafts("n"), title="New")
    assert (await look(database, tenant, ["a", "b"], "New")).place.upstream == "b.new"


async def test_a_name_belongs_to_one_bundle(database: Database, tenant: TenantId) -> None:
    await stored(database, tenant, drafts("a"))
    async with database.read() as session:
        with pytest.raises(Conflict, match="exists already in bundle b"):
            await Surveys(session, tenant).look("other", "Shop", ["a"])


async def test_a_survey_can_be_made_of_an_import(database: Database, tenant: TenantId) -> None:
    only = await stored(database, tenant, drafts("a", "b"))
    async with database.read() as session:
        survey = await Surveys(session, tenant).look_at(only, ["a"])
        steps = await Imports(session, tenant).steps(only.id)
    assert sorted(survey.versions) == [step.name for step in steps] == ["a", "b"]


def test_the_name_of_a_service_keeps_titles_apart() -> None:
    assert upstream_name("b", "My Shop") == "b.my-shop"
    for one, other in (("Shop!", "Shop?"), ("予約", "在庫"), ("a" * 200, "a" * 199 + "b")):
        assert upstream_name("b", one) != upstream_name("b", other)
        assert len(upstream_name("b" * 100, one)) <= 100
