"""What one tenant sees does not hang on what another has or does: on every route of the API.

There are two worlds, alike in all that one tenant has. In one the other tenant is empty; in the
other it has everything under the same names, more besides, and is busy. Who is of the first tenant
asks the same in both, and cannot tell them apart.
"""

import asyncio
import random
import re
import shutil
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bascule.gateway.errors import GatewayError
from fakes.tenants import (
    MARKS,
    NEARLY_THERE,
    ONLY_THERE,
    TenantSite,
    add_what_is_only_there,
    an_id,
    fill,
    ids_of,
    leaves,
    normal,
    of_tenants,
    replaced,
    seat,
    shown,
)
from unit.api.equipment import equipped
from unit.api.site import make_database, open_site
from unit.api.uses import USES, Route, names_for

OTHER: Final = {"default": "acme", "acme": "default"}


@dataclass(frozen=True)
class Step:
    """A request, altered in one place. `where` is a parameter of the path or the query, or a way
    into the body; () for none."""

    route: Route
    kind: str = ""
    where: tuple[Any, ...] = ()
    text: str = ONLY_THERE


@dataclass
class World:
    """A tenant's seat, and its neighbour's. `foreign` is what must never be seen from the first."""

    mine: TenantSite
    theirs: TenantSite
    foreign: set[str] = field(default_factory=set[str])
    foreign_ids: dict[str, str] = field(default_factory=dict[str, str])
    made: tuple[Route, dict[str, str]] | None = None
    """What is there for a route, as nothing has changed since it was made."""

    async def play(self, step: Step) -> httpx2.Response:
        """Make what the step is about, then take it."""
        method, path = step.route
        if self.made is None or self.made[0] != step.route:
            self.made = step.route, await names_for(self.mine, method, path)
        names = dict(self.made[1])
        options = dict(USES[step.route].options)
        if step.kind == "path":
            (name,) = step.where
            names[name] = self.foreign_ids.get(name) or (an_id() if "id" in name else step.text)
        elif step.kind == "query":
            options["params"] = {step.where[0]: step.text}
        elif step.kind == "body":
            options = replaced(options, step.where, step.text)
        answer = await self.mine.ask(method, path.format(**names), **options)
        if method != "GET" and answer.is_success:
            self.made = None
        assert not [one for one in self.foreign if one in shown(answer)], (step, shown(answer))
        return answer

    async def interfere(self, route: Route) -> None:
        """Have the neighbour do something."""
        method, path = route
        with suppress(GatewayError):  # what it made before may be in the way
            names = await names_for(self.theirs, method, path)
            await self.theirs.ask(method, path.format(**names), **USES[route].options)


def steps_of(site: TenantSite) -> Iterator[Step]:
    """Every request, as it is, and with each of its texts in turn another."""
    queries = {
        (method, one.path): [parameter.alias for parameter in one.route.dependant.query_params]
        for one in iter_route_contexts(site.app.routes)
        if isinstance(one.route, APIRoute)
        for method in one.methods or ()
    }
    for route in of_tenants():
        yield Step(route)
        for name in queries.get(route, ()):
            yield Step(route, "query", (name,))
        for text in (ONLY_THERE, NEARLY_THERE):
            for name in re.findall(r"\{(\w+)\}", route[1]):
                yield Step(route, "path", (name,), text)
            for part in ("json", "data"):
                for where in leaves(USES[route].options.get(part), (part,)):
                    yield Step(route, "body", where, text)


def late(step: Step) -> tuple[bool, bool, bool]:
    """What makes things that would be in the way of others, or of that name, comes last."""
    is_made = step.kind == "body" and step.where[-1] in {"name", "bundle_id"}
    return "connectors" in step.route[1], is_made, step.kind == "body"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """For each tenant: a database where it alone has something, and one where both have."""
    return asyncio.run(_prepare(tmp_path_factory.mktemp("tenants")))


async def _prepare(folder: Path) -> dict[str, tuple[Path, Path]]:
    await make_database(folder / "bare.db")
    found: dict[str, tuple[Path, Path]] = {}
    for tenant, other in OTHER.items():
        alone, both = folder / f"{tenant}-alone.db", folder / f"{tenant}-both.db"
        shutil.copy(folder / "bare.db", alone)
        async with open_site(alone) as site, equipped(site) as whole:
            await fill(seat(whole, tenant))
        shutil.copy(alone, both)
        async with open_site(both) as site, equipped(site) as whole:
            await fill(seat(whole, other))
            await add_what_is_only_there(seat(whole, other))
        found[tenant] = alone, both
    return found


@asynccontextmanager
async def worlds(
    files: tuple[Path, Path], folder: Path, tenant: str
) -> AsyncGenerator[tuple[World, World]]:
    """The two, on copies of their databases."""
    async with AsyncExitStack() as stack:
        made: list[World] = []
        for number, file in enumerate(files):
            place = folder / f"{number}"
            place.mkdir(parents=True)
            site = await stack.enter_async_context(open_site(Path(shutil.copy(file, place))))
            whole = await stack.enter_async_context(equipped(site))
            made.append(World(seat(whole, tenant), seat(whole, OTHER[tenant])))
        alone, both = made
        both.foreign = await ids_of(both.theirs) | {MARKS[OTHER[tenant]]}
        for name, path in (
            ("import_id", "/api/admin/openapi/{import_id}"),
            ("key_id", "/api/admin/keys/{key_id}"),
            ("grant_id", "/api/admin/grants/{grant_id}"),
        ):
            both.foreign_ids[name] = (await names_for(both.theirs, "GET", path))[name]
        yield alone, both


async def compare(alone: World, both: World, step: Step) -> None:
    one, other = await alone.play(step), await both.play(step)
    assert normal(one) == normal(other), step


async def test_nothing_another_tenant_has_or_does_is_seen_on_any_route(
    prepared: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    chance = random.Random(0)
    changing = [route for route in of_tenants() if route[0] != "GET"]
    async with (
        asyncio.timeout(200),
        worlds(prepared["default"], tmp_path, "default") as (alone, both),
    ):
        steps = sorted(steps_of(alone.mine), key=late)
        assert len(steps) > 2 * len(of_tenants())
        for number, step in enumerate(steps):
            if number % 10 == 0:
                await both.interfere(chance.choice(changing))
            await compare(alone, both, step)


_ROUTES: Final = sorted(one for one in of_tenants() if "connectors" not in one[1])
_DEEDS: Final = st.lists(
    st.tuples(st.booleans(), st.sampled_from(_ROUTES), st.integers(0, 9)), min_size=4, max_size=10
)


def test_in_whatever_order_two_tenants_do_things_each_sees_its_own(
    prepared: dict[str, tuple[Path, Path]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """As above, from the other side, in orders that nobody thought of."""

    async def play(deeds: list[tuple[bool, Route, int]]) -> None:
        folder = tmp_path_factory.mktemp("order")
        async with (
            asyncio.timeout(60),
            worlds(prepared["acme"], folder, "acme") as (alone, both),
        ):
            steps: dict[Route, list[Step]] = {}
            for step in steps_of(alone.mine):
                steps.setdefault(step.route, []).append(step)
            for is_mine, route, number in deeds:
                if is_mine:
                    await compare(alone, both, steps[route][number % len(steps[route])])
                else:
                    await both.interfere(route)

    with asyncio.Runner() as runner:

        @settings(max_examples=12, deadline=None, database=None, derandomize=True,
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(_DEEDS)
        def every(deeds: list[tuple[bool, Route, int]]) -> None:
            runner.run(play(deeds))

        every()
