"""The pages of `/elevations`: who asked for what, and what those who may decide about it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.correlation import correlation_id_of
from bascule.api.elevated import Approval, LiveGrants
from bascule.api.elevating import ElevationDesk
from bascule.api.pages.elevation_views import HOME, Detail, detail_page
from bascule.api.pages.elevations_views import List, Listed, list_page
from bascule.api.pages.forms import PageRoute, fields_of, redirect, refusal_page
from bascule.api.signin.browsers import Visitor
from bascule.api.signin.cookies import CSRF_FIELD
from bascule.api.signin.house import SignIn, sign_in_of
from bascule.gateway.elevation import ScopeKind
from bascule.gateway.errors import GatewayError, InvalidValue, NotFound
from bascule.gateway.permissions import APPROVE
from bascule.gateway.verdict import Refuse
from bascule.policy.elevation import ElevationStatus, names_of
from bascule.storage.repositories.elevations import Filter

router = APIRouter(prefix=HOME, include_in_schema=False, route_class=PageRoute)

_ON_A_PAGE: Final = 25
_FIELDS: Final = ("minutes", "scope", "comment")
_DONE: Final = {
    "approve": "It is approved. Calls are let through from now on.",
    "deny": "It is denied.",
    "revoke": "It is revoked. The next call is refused.",
    "cancel": "The request is cancelled.",
}
_STATUS: Final = {List.WAITING: ElevationStatus.PENDING, List.ACTIVE: ElevationStatus.APPROVED}


@dataclass(frozen=True, slots=True)
class _Here:
    """Who is signed in, at whose desk."""

    control: Control
    live: LiveGrants
    visitor: Visitor
    caller: Caller

    @property
    def desk(self) -> ElevationDesk:
        """Where requests are decided."""
        return ElevationDesk(self.control)

    @property
    def can_approve(self) -> bool:
        """Whether they may decide about those of others."""
        return self.visitor.principal.may(APPROVE)


@router.get("")
async def show_list(request: Request, list: str = "", page: int = 1) -> Response:  # noqa: A002 - in the address
    """One of the lists; those of everybody for approvers only."""
    here = await _here(request)
    if isinstance(here, Response):
        return here
    name = List(list) if list in set(List) else List.MINE
    if name is not List.MINE and not here.can_approve:
        return redirect(HOME)
    desk, caller = here.desk, here.caller
    if name is List.MINE:
        found = await desk.mine(caller, page, _ON_A_PAGE)
    else:
        wanted = Filter(status=_STATUS.get(name), page=page, limit=_ON_A_PAGE)
        found = await desk.list(caller, wanted)
    waiting = found.total if name is List.WAITING else await _waiting(here)
    said = _DONE.get(request.query_params.get("done", ""), "")
    return list_page(Listed(name, found, here.can_approve, waiting, said))


@router.get("/{elevation_id}")
async def show_one(request: Request, elevation_id: UUID) -> Response:
    """One request, with all that it would allow."""
    here = await _here(request)
    return here if isinstance(here, Response) else await _detail(here, elevation_id)


@router.post("/{elevation_id}/{action}")
async def act(request: Request, elevation_id: UUID, action: str) -> Response:
    """Approve, deny, revoke or cancel."""
    sent = await fields_of(request, *_FIELDS, CSRF_FIELD)
    here = await _here(request, sent[CSRF_FIELD])
    if isinstance(here, Response):
        return here
    work = _ACTIONS.get(action)
    if work is None:
        raise NotFound("There is no such page.")
    try:
        await work(here, elevation_id, sent)
    except NotFound:
        raise
    except GatewayError as failure:
        return await _detail(here, elevation_id, sent, failure)
    back = List.WAITING if action in {"approve", "deny"} else List.MINE
    return redirect(f"{HOME}?list={back}&done={action}")


async def _here(request: Request, sent: str | None = None) -> _Here | Response:
    """Who sends `request`; `sent` is the token of a form."""
    sign_in: SignIn = sign_in_of(request)
    control = sign_in.entries.control
    visitor = await sign_in.browsers.visitor(request, sent)
    if isinstance(visitor, Refuse):
        return refusal_page(request, visitor)
    live = control.elevations
    if live is None:
        raise NotFound("Nobody is asked for elevation here.")
    caller = Caller(visitor.principal, correlation_id_of(request))
    return _Here(control, live, visitor, caller)


async def _waiting(here: _Here) -> int:
    """How many requests wait, for those who may decide about them."""
    if not here.can_approve:
        return 0
    wanted = Filter(status=ElevationStatus.PENDING, limit=1)
    return (await here.desk.list(here.caller, wanted)).total


async def _detail(
    here: _Here,
    elevation_id: UUID,
    sent: Mapping[str, str] | None = None,
    failure: GatewayError | None = None,
) -> Response:
    """The page of one request as it is now, with what was wrong with a form."""
    seen = await here.desk.get(here.caller, elevation_id)
    snapshot, principal = here.control.snapshot(), here.visitor.principal
    view, one = snapshot.tenant(principal.tenant), seen.elevation
    names = names_of(principal, view.people)
    return detail_page(
        Detail(
            seen,
            view,
            here.live.terms,
            here.visitor.csrf_token,
            here.can_approve,
            not names.isdisjoint({one.holder.owner, one.asked_owner}),
            failure.public if failure else "",
            failure.error.http_status if failure else 200,
            sent or {},
        )
    )


async def _approve(here: _Here, elevation_id: UUID, sent: Mapping[str, str]) -> None:
    try:
        minutes = int(sent["minutes"])
        kind = ScopeKind(sent["scope"]) if sent["scope"] else None
    except ValueError:
        raise InvalidValue("Say for how many minutes, as a whole number.") from None
    approval = Approval(minutes, kind, comment=sent["comment"].strip())
    await here.desk.approve(here.caller, elevation_id, approval)


async def _deny(here: _Here, elevation_id: UUID, sent: Mapping[str, str]) -> None:
    await here.desk.deny(here.caller, elevation_id, sent["comment"].strip())


async def _revoke(here: _Here, elevation_id: UUID, sent: Mapping[str, str]) -> None:
    await here.desk.revoke(here.caller, elevation_id, sent["comment"].strip())


async def _cancel(here: _Here, elevation_id: UUID, sent: Mapping[str, str]) -> None:
    del sent
    await here.desk.cancel(here.caller, elevation_id)


_ACTIONS: Final[Mapping[str, Callable[[_Here, UUID, Mapping[str, str]], Awaitable[None]]]] = {
    "approve": _approve,
    "deny": _deny,
    "revoke": _revoke,
    "cancel": _cancel,
}
