"""What is privileged stays so, by whatever way its risk would be lowered."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bascule.api.lowering import lowering_refused
from bascule.gateway.tool import RiskLevel, ToolStatus
from unit.api.shelf import a_tool, stock
from unit.api.site import Site, document, error_of

TOOL = "/api/admin/tools/find"
IMPORTS = "/api/admin/openapi"
Way = Callable[[Site, str], Awaitable[Any]]


def desk(risk: str, summary: str = "Find") -> dict[str, Any]:
    made = document("find")
    made["paths"]["/find"]["get"] |= {"x-bascule-risk": risk, "summary": summary}
    return made


async def upload(site: Site, risk: str, role: str, *, publish: bool = True) -> Any:
    fields = {"auto_publish": str(publish).lower()}
    return await site.upload(desk(risk, f"{risk} by {role}"), role=role, **fields)


async def refuse(site: Site, response: Any) -> None:
    """It is refused as it must be, and the tool is as privileged as before."""
    assert response.status_code == 403, response.text
    error = error_of(response)
    assert error["code"] == "E1004"
    assert "find" in error["message"]
    assert "policies:write" in error["message"]
    assert error["details"]["tools"] == ["find"]
    assert site.recorder.last.status == "failure"


async def by_import(site: Site, role: str) -> Any:
    return await upload(site, "write", role)


async def by_method(site: Site, role: str) -> Any:
    made = desk("privileged", "By its method")
    del made["paths"]["/find"]["get"]["x-bascule-risk"]
    return await site.upload(made, role=role, auto_publish="true")


async def by_publishing_a_draft(site: Site, role: str) -> Any:
    draft = await upload(site, "read", "developer", publish=False)
    assert draft.status_code == 200, draft.text
    return await site.post(f"{IMPORTS}/{draft.json()['spec_id']}/publish", role)


async def by_publishing_a_version(site: Site, role: str) -> Any:
    draft = await upload(site, "read", "developer", publish=False)
    assert draft.status_code == 200, draft.text
    return await site.post(f"{TOOL}/publish", role)


async def by_activating_a_version(site: Site, role: str) -> Any:
    draft = await upload(site, "read", "developer", publish=False)
    assert draft.status_code == 200, draft.text
    body = {"status": "active"}
    return await site.post(f"{TOOL}/status", role, json=body)


async def by_switching_off_first(site: Site, role: str) -> Any:
    body = {"status": "inactive"}
    off = await site.post(f"{TOOL}/status", "developer", json=body)
    assert off.status_code == 200, off.text
    stays_off = await upload(site, "read", "developer")
    assert stays_off.status_code == 200, stays_off.text
    return await site.post(f"{TOOL}/status", role, json={"status": "active"})


async def by_deleting_first(site: Site, role: str) -> Any:
    return await site.delete(TOOL, role)


WAYS: list[Way] = [
    by_import,
    by_method,
    by_publishing_a_draft,
    by_publishing_a_version,
    by_activating_a_version,
    by_switching_off_first,
    by_deleting_first,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_no_way_of_changing_tools_lowers_what_is_privileged(site: Site, way: Way) -> None:
    assert (await upload(site, "privileged", "admin")).status_code == 200
    await refuse(site, await way(site, "developer"))
    versions = (await site.get(f"{TOOL}/versions")).json()["versions"]
    assert versions[-1]["risk_level"] == "privileged"
    callable_ones = [one for one in versions if one["status"] in {"active", "deprecated"}]
    assert {one["risk_level"] for one in callable_ones} <= {"privileged"}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_who_may_write_policies_may_lower_it(site: Site, way: Way) -> None:
    assert (await upload(site, "privileged", "admin")).status_code == 200
    done = await way(site, "admin")
    assert done.status_code == 200, done.text


@pytest.mark.parametrize("path", ["tool", "import"])
async def test_going_back_to_what_was_less_is_lowering(site: Site, path: str) -> None:
    assert (await upload(site, "write", "developer")).status_code == 200
    raised = await upload(site, "privileged", "developer")
    assert raised.status_code == 200, "higher needs nothing"
    back = f"{IMPORTS}/{raised.json()['spec_id']}" if path == "import" else TOOL
    await refuse(site, await site.post(f"{back}/rollback", "developer"))
    assert (await site.get(TOOL)).json()["risk_level"] == "privileged"
    assert (await site.post(f"{back}/rollback", "admin")).status_code == 200
    assert (await site.get(TOOL)).json()["risk_level"] == "write"


async def test_switching_off_or_deleting_the_version_in_force_is_lowering_where_another_is_left(
    site: Site,
) -> None:
    assert (await upload(site, "write", "developer")).status_code == 200
    assert (await upload(site, "privileged", "developer")).status_code == 200
    body = {"status": "inactive"}
    await refuse(site, await site.post(f"{TOOL}/status", "developer", json=body))
    await refuse(site, await site.delete(f"{TOOL}?version=2.0.0", "developer"))
    older = {**body, "version": "1.0.0"}
    done = await site.post(f"{TOOL}/status", "developer", json=older)
    assert done.status_code == 200, done.text
    done = await site.post(f"{TOOL}/status", "developer", json=body)
    assert done.status_code == 200, "nothing can be called now"


async def test_what_stays_privileged_may_be_changed_and_what_is_not_may_be_anything(
    site: Site,
) -> None:
    assert (await upload(site, "privileged", "developer")).status_code == 200
    again = await site.upload(desk("privileged", "Another"), role="developer", auto_publish="true")
    assert again.status_code == 200, again.text
    assert (await site.delete(f"{TOOL}?version=1.0.0", "developer")).status_code == 200
    other = document("other", title="Other")
    assert (await site.upload(other, auto_publish="true")).status_code == 200
    assert (await site.delete("/api/admin/tools/other", "developer")).status_code == 200


async def test_what_was_lowered_by_who_may_stays_so_until_it_is_switched_off(site: Site) -> None:
    await stock(
        site,
        a_tool("find", version="1.0.0", risk=RiskLevel.PRIVILEGED, status=ToolStatus.DEPRECATED),
        a_tool("find", version="2.0.0", risk=RiskLevel.WRITE),
        a_tool("find", version="3.0.0", risk=RiskLevel.READ, status=ToolStatus.DRAFT),
    )
    assert (await site.post(f"{TOOL}/publish?version=3.0.0", "developer")).status_code == 200


def test_of_very_many_tools_some_are_named() -> None:
    failure = lowering_refused(f"tool{number:02}" for number in range(12))
    assert "tool09 and 2 more need elevation" in failure.public
    assert len(failure.details["tools"]) == 12  # type: ignore[arg-type]
