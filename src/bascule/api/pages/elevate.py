"""The page behind a link to `/elevate/`: a person asks for what a call of theirs was refused.

What holds (specification 2026-07-28, client/elicitation "Safe URL Handling" and "Phishing"):

- The link says nothing that can be read, and lets nobody in: it only leads to a request, about
  which somebody else decides.
- Who can sign in must, and must be for whom the call was made. For the key of a service whoever is
  signed in may ask, in their own name; without a sign-in the link itself is the proof.
- A form counts only from the browser that was shown the page.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from bascule.api.access import control_of
from bascule.api.caller import Caller
from bascule.api.consenting import account_name
from bascule.api.control import Control
from bascule.api.correlation import correlation_id_of
from bascule.api.elevated import Link, LiveGrants, Wanted
from bascule.api.elevating import ElevationDesk
from bascule.api.pages.consent_views import other_account, sign_in_first
from bascule.api.pages.elevate_views import Filled, Shown, elevate_page, over
from bascule.api.pages.forms import PageRoute, fields_of, redirect, refusal_page
from bascule.api.pages.owners import bearer_of, must_sign_in
from bascule.api.signin.browsers import FORGED, Visitor
from bascule.api.signin.cookies import CSRF_FIELD, Cookies, csrf_token
from bascule.api.signin.house import SignIn
from bascule.gateway.elevation import ScopeKind
from bascule.gateway.errors import Conflict, GatewayError, InvalidValue, NotFound, StaleHandle
from bascule.gateway.principal import Principal
from bascule.policy.elevation import ElevationStatus
from bascule.storage.repositories.elevations import StoredElevation

router = APIRouter(prefix="/elevate", include_in_schema=False, route_class=PageRoute)

_COOKIE: Final = "bascule-elevate"
_LONGEST_LINK: Final = 8_192
_FIELDS: Final = ("reason", "ticket", "minutes", "scope", "decision")
_MOST_LOOKED_AT: Final = 100


@dataclass(frozen=True, slots=True)
class _Opened:
    """A link, and who opened it: somebody who is signed in, or nobody but its bearer."""

    control: Control
    live: LiveGrants
    link: Link
    caller: Caller
    csrf: str
    cookie: str = ""
    """What a browser is given in which nobody is signed in."""

    @property
    def desk(self) -> ElevationDesk:
        """Where requests are made."""
        return ElevationDesk(self.control)


@router.get("/{token}")
async def show(request: Request, token: str) -> Response:
    """Say what was held back, how requests for it stand, and let a person ask."""
    opened = await _open(request, token)
    if isinstance(opened, Response):
        return opened
    return await _page(request, opened, Filled())


@router.post("/{token}")
async def decide(request: Request, token: str) -> Response:
    """Make the request, or take it back."""
    sent = await fields_of(request, *_FIELDS, CSRF_FIELD)
    opened = await _open(request, token, sent[CSRF_FIELD])
    if isinstance(opened, Response):
        return opened
    try:
        if sent["decision"] == "cancel":
            await _cancel(opened)
        else:
            await opened.desk.request(opened.caller, _wanted(opened.link, sent))
    except GatewayError as failure:
        filled = Filled(sent, failure.public, failure.error.http_status)
        return await _page(request, opened, filled)
    return redirect(request.url.path)


async def _open(request: Request, token: str, sent: str | None = None) -> _Opened | Response:
    """The link, for who may use it; `sent` is the token of a form, None for a mere look."""
    control = control_of(request)
    live = control.elevations
    if live is None:
        raise NotFound("Nobody is asked for elevation here.")
    link = live.open_link(token) if len(token) <= _LONGEST_LINK else None
    if link is None or link.tenant not in control.snapshot().tenants:
        return over()
    visitor = await _visitor(control, request, sent)
    if isinstance(visitor, Response):
        return visitor
    if visitor is None:
        return await _bearer(request, live, link, sent)
    principal, csrf = visitor
    caller = Caller(principal, correlation_id_of(request))
    try:
        await ElevationDesk(control).open_link(caller, token)
    except StaleHandle:
        return other_account(principal.subject, _account(control, link))
    return _Opened(control, live, link, caller, csrf)


async def _visitor(
    control: Control, request: Request, sent: str | None
) -> tuple[Principal, str] | Response | None:
    """Who is signed in, with what proves their forms; None for nobody."""
    sign_in: SignIn | None = getattr(request.app.state, "sign_in", None)
    if sign_in is None or not sign_in.browsers.carried(request):
        return None
    visitor = await sign_in.browsers.visitor(request, sent)
    if isinstance(visitor, Visitor):
        return visitor.principal, visitor.csrf_token
    return refusal_page(request, visitor) if visitor.error is FORGED.error else None


async def _bearer(
    request: Request, live: LiveGrants, link: Link, sent: str | None
) -> _Opened | Response:
    """Who has the link, and nothing else: for a caller who cannot sign in, that is enough."""
    control = control_of(request)
    bearer = bearer_of(link.tenant, link.holder, control.snapshot())
    if bearer is None:
        return over()
    if await must_sign_in(control, bearer):
        return sign_in_first(request.url.path, link.tenant, _account(control, link))
    cookies = _cookies(request)
    cookie = cookies.read(request, _COOKIE)
    if sent is not None and not cookies.is_ours(request, cookie, sent):
        return refusal_page(request, FORGED)
    cookie = cookie or secrets.token_urlsafe(32)
    caller = Caller(bearer, correlation_id_of(request))
    return _Opened(control, live, link, caller, csrf_token(cookie), cookie)


async def _page(request: Request, opened: _Opened, filled: Filled) -> Response:
    """The page as things stand now."""
    link, control = opened.link, opened.control
    asked = await opened.desk.mine(opened.caller, limit=_MOST_LOOKED_AT)
    shown = Shown(
        link,
        control.snapshot().tenant(link.tenant),
        opened.live.terms,
        _account(control, link),
        opened.csrf,
        signed_in=not opened.cookie,
        requests=tuple(one for one in asked.items if _is_about(one, link)),
    )
    response = elevate_page(shown, filled)
    if opened.cookie:
        _cookies(request).set(request, response, _COOKIE, opened.cookie)
    return response


async def _cancel(opened: _Opened) -> None:
    """Take back what was asked for, by whoever decided nothing yet.

    Raises:
        Conflict: somebody has decided meanwhile, or there is nothing to take back.
    """
    asked = await opened.desk.mine(opened.caller, limit=_MOST_LOOKED_AT)
    for one in asked.items:
        if one.status is ElevationStatus.PENDING and _is_about(one, opened.link):
            await opened.desk.cancel(opened.caller, one.id)
            return
    raise Conflict("There is nothing to cancel: somebody has decided, or it was cancelled before.")


def _wanted(link: Link, sent: Mapping[str, str]) -> Wanted:
    """The request in a form.

    Raises:
        InvalidValue: a field is none that the form could have sent.
    """
    try:
        minutes = int(sent["minutes"])
        kind = ScopeKind(sent["scope"])
    except ValueError:
        raise InvalidValue("Say for what, and for how many minutes, as a whole number.") from None
    return Wanted(
        sent["reason"].strip(), kind, link=link, ticket=sent["ticket"].strip(), minutes=minutes
    )


def _is_about(one: StoredElevation, link: Link) -> bool:
    """Whether a request, once granted, covers the call of the link."""
    if one.holder.owner != link.holder.owner or one.holder.key_id != link.holder.key_id:
        return False
    if one.scope.kind is ScopeKind.BUNDLE:
        return one.scope.name == link.bundle
    same = one.scope.kind is ScopeKind.TOOL or one.scope.digest == link.digest
    return same and one.scope.name == link.tool


def _account(control: Control, link: Link) -> str:
    return account_name(link.tenant, link.holder.owner, control.snapshot())


def _cookies(request: Request) -> Cookies:
    sign_in: SignIn | None = getattr(request.app.state, "sign_in", None)
    return Cookies() if sign_in is None else sign_in.cookies
