"""A lobby where calls are held back, people ask for leave on pages, and others decide."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

import httpx2

from bascule.api.elevated import Terms
from bascule.app.elevation import Ground, LiveElevations
from bascule.gateway.digests import keyed_digest
from bascule.gateway.elevation import Elevation
from bascule.gateway.principal import Principal
from bascule.gateway.seals import Seals
from bascule.gateway.tool import RiskLevel, Tool
from bascule.state.memory import MemoryState
from bascule.storage.repositories.elevations import (
    ElevationDraft,
    Elevations,
    Filter,
    Origin,
    StoredElevation,
)
from bascule.storage.repositories.roles import Roles
from unit.api.lobby import Clock, Lobby, open_lobby, token_in
from unit.api.shelf import a_tool, stock
from unit.api.site import Site, site_of

REFUND: Final = a_tool(
    "refund",
    title="Refund an order",
    description="Pays back what a customer paid. It cannot be undone.",
    risk=RiskLevel.PRIVILEGED,
)
CALL: Final[Mapping[str, object]] = {"dealer": 7, "day": "2026-11-22"}


@dataclass
class Room:
    """A lobby, and the grants of its gateway."""

    lobby: Lobby
    live: LiveElevations

    @property
    def clock(self) -> Clock:
        """The time that grants are held against."""
        return self.lobby.clock

    def principal(self, name: str, tenant: str = "default") -> Principal:
        """Somebody with an account, as a call of theirs would be identified."""
        view = self.lobby.site.control.snapshot().tenant(tenant)
        person = next(one for one in view.people.values() if one.name == name)
        permissions = frozenset[str]().union(*(view.roles[role] for role in person.roles))
        return Principal(tenant, name, person.roles, permissions, user_id=person.user_id)

    def key_of(self, role: str, tenant: str = "default") -> Principal:
        """The key that nobody but a program has for `role`."""
        keys = self.lobby.site.control.snapshot().keys.values()
        found = (one.principal for one in keys if one.principal.subject == role)
        return next(one for one in found if one.tenant == tenant)

    async def check(
        self, who: Principal, tool: Tool = REFUND, arguments: Mapping[str, object] = CALL
    ) -> Elevation:
        """Whether a call of theirs is covered."""
        return await self.live.check(who, tool, arguments, continues="")

    async def link(
        self, who: Principal, tool: Tool = REFUND, arguments: Mapping[str, object] = CALL
    ) -> str:
        """The path that who calls in vain is sent to."""
        found = await self.check(who, tool, arguments)
        assert found.grant is None
        return urlsplit(found.url).path

    async def ask(self, browser: httpx2.AsyncClient, path: str, **changes: str) -> httpx2.Response:
        """Fill in the form behind a link, and send it."""
        self.clock.pass_by(seconds=1)
        page = await browser.get(path)
        usual = {"reason": "A customer paid twice.", "ticket": "INC-7", "minutes": "30"}
        sent = {**usual, "scope": "call", "decision": "ask", "csrf": token_in(page), **changes}
        return await browser.post(path, data=sent)

    async def decide(
        self, browser: httpx2.AsyncClient, path: str, action: str, **sent: str
    ) -> httpx2.Response:
        """Press a button on the page of a request."""
        page = await browser.get(path)
        return await browser.post(f"{path}/{action}", data={"csrf": token_in(page), **sent})

    async def only_request(self, tenant: str = "default") -> str:
        """The page of the only request there is."""
        found = await self.requests(tenant)
        assert len(found) == 1, found
        return f"/elevations/{found[0].id}"

    async def requests(self, tenant: str = "default") -> tuple[StoredElevation, ...]:
        """Every request of a tenant; the newest first."""
        async with self.lobby.site.rows(tenant) as (session, tenant_id):
            return (await Elevations(session, tenant_id).list(Filter())).items

    async def repeat(self, times: int) -> None:
        """The only request there is, made again so many times, a second later each."""
        (one,) = await self.requests()
        async with self.lobby.site.rows() as (session, tenant_id):
            for number in range(times):
                draft = ElevationDraft(
                    one.holder,
                    one.asked_by,
                    one.asked_owner,
                    one.scope,
                    Origin(one.tool, one.bundle, one.digest),
                    one.reason,
                    one.ticket,
                    one.minutes,
                    one.requested_at + timedelta(seconds=number + 1),
                    one.void_at,
                )
                await Elevations(session, tenant_id).create(draft)


@asynccontextmanager
async def open_room(site: Site, terms: Terms = Terms()) -> AsyncGenerator[Room]:  # noqa: B008 - frozen
    """People are ann, who calls; bob and eve, who approve; and cat, who does neither."""
    clock: list[Clock] = []
    ground = Ground(
        MemoryState(),
        Seals([b"s" * 32]),
        keyed_digest(b"d" * 32),
        terms,
        "http://127.0.0.1",
        lambda _: None,
        lambda _: None,
        lambda: clock[0]().timestamp(),
    )
    live = LiveElevations(ground)
    control = replace(site.control, elevations=live)
    async with (
        site_of(control, site.recorder, site.file) as other,
        open_lobby(other) as lobby,
    ):
        clock.append(lobby.clock)
        async with lobby.site.rows() as (session, tenant_id):
            await Roles(session, tenant_id).create("approver", "", {"elevations:approve"})
        for name, *roles in (("ann", "user"), ("bob", "approver"), ("eve", "approver", "user")):
            await lobby.add(name, *roles)
        await lobby.add("cat")
        await stock(lobby.site, REFUND, a_tool("look"))
        yield Room(lobby, live)
