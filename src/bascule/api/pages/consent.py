"""The pages on which a person lets this gateway use a service for them, and comes back to.

What holds (MCP security best practices, "Confused Deputy Problem"; client/elicitation "Phishing"):

- Nobody reaches an authorization server by way of here before they saw, on a page of this gateway,
  which service, which server, which scopes and whose account, and pressed a button on it.
- The button and the way back work in one browser: the one that was shown the page. It has a cookie
  of its own for each authorization; the form bears a token made of it, `state` comes back with it.
- Who is signed in to the console must be for whom the call was made. Who could sign in must.
- What is left: of a caller who cannot sign in (an API key without a person), whoever has the link
  may consent. So the link cannot be guessed, holds for ten minutes and once, and the page names the
  account in words.
"""

import hashlib
import secrets
from typing import Final

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from bascule.api.access import control_of
from bascule.api.caller import Caller
from bascule.api.consenting import (
    Approved,
    Consents,
    account_name,
    is_owner,
    is_there,
    subject_of,
)
from bascule.api.control import Control, Denial
from bascule.api.correlation import correlation_id_of
from bascule.api.pages.consent_views import (
    done,
    message,
    origin_of,
    other_account,
    over,
    question,
    sign_in_first,
)
from bascule.api.pages.forms import PageRoute
from bascule.api.pages.layout import page_headers
from bascule.api.pages.owners import must_sign_in
from bascule.api.signin.cookies import CSRF_FIELD, Cookies, csrf_token
from bascule.gateway.errors import ErrorCode, GatewayError, NotFound
from bascule.gateway.principal import Principal
from bascule.gateway.verdict import Refuse
from bascule.upstreams.oauth.asking import check_callback, read_callback
from bascule.upstreams.oauth.ports import Pending

router = APIRouter(prefix="/oauth", include_in_schema=False, route_class=PageRoute)

CALLBACK_PATH: Final = "/oauth/callback"
_COOKIE: Final = "bascule-consent-"
_LONGEST_LINK: Final = 64
_LONGEST_QUERY: Final = 16_384


@router.get("/consent/{link}")
async def show(request: Request, link: str) -> Response:
    """Say what would be allowed to whom, before anything is."""
    control, consents = _parts(request)
    pending = await _find(consents, link)
    if pending is None:
        return over()
    signed_in = await _visitor(control, request)
    refusal = await _stranger(control, request, pending, signed_in)
    if refusal is not None:
        return refusal
    cookies, name = _cookies(consents), _cookie_name(link)
    secret = cookies.read(request, name) or secrets.token_urlsafe(32)
    response = question(pending, _account(control, pending), csrf_token(secret))
    cookies.set(request, response, name, secret)
    return response


@router.post("/consent/{link}")
async def decide(request: Request, link: str) -> Response:
    """Send the browser on to the authorization server, or let it be."""
    control, consents = _parts(request)
    pending = await _find(consents, link)
    if pending is None:
        return over()
    cookies, name = _cookies(consents), _cookie_name(link)
    secret, form = cookies.read(request, name), await request.form()
    if secret is None or not cookies.is_ours(request, secret, str(form.get(CSRF_FIELD, ""))):
        return _refused(control, request, pending, "the form is not from this browser's page")
    if form.get("decision") != "allow":
        await consents.decline(link)
        await _note(control, request, pending, "grant.decline")
        response = message("Nothing was allowed", "You can close this window.")
        cookies.clear(request, response, name)
        return response
    await _note(control, request, pending, "grant.approve")
    approved = Approved(pending, _flow(link), _digest(secret))
    if not await consents.approve(link, approved):
        return over()
    return RedirectResponse(pending.url, 303, page_headers([origin_of(pending.url)]))


@router.get("/callback")
async def come_back(request: Request) -> Response:
    """Take the answer of an authorization server, where it is for who asked for it."""
    control, consents = _parts(request)
    query = request.url.query
    callback = read_callback(query) if len(query) <= _LONGEST_QUERY else None
    approved = None if callback is None else await consents.take(callback.state)
    if callback is None or approved is None:
        return over()
    pending, cookies = approved.pending, _cookies(consents)
    name = _COOKIE + approved.flow
    secret = cookies.read(request, name)
    if secret is None or not secrets.compare_digest(_digest(secret), approved.browser):
        return _refused(control, request, pending, "the answer came to another browser")
    visitor = await _visitor(control, request)
    refusal = await _stranger(control, request, pending, visitor)
    if refusal is not None:
        return refusal
    if visitor is not None and pending.owner:
        # Who was a stranger when it began may have an account since they signed in.
        pending = msgspec.structs.replace(pending, owner=visitor.owner)
    try:
        # Before it is written down that somebody agreed.
        check_callback(pending, callback)
        await _note(control, request, pending, "grant.consent")
        await consents.finish(pending, callback)
    except GatewayError as failure:
        await _note(control, request, pending, "grant.consent", failure)
        response = message("It did not work", failure.public, is_bad=True, status=502)
    else:
        response = done(pending.upstream, _account(control, pending))
    cookies.clear(request, response, name)
    return response


@router.get("/client.json")
async def client(request: Request) -> Response:
    """What authorization servers read about this gateway (Client ID Metadata Documents)."""
    _, consents = _parts(request)
    document = consents.client_document
    if document is None:
        text = "This gateway's address is not https, so no authorization server would read this."
        return message("Not here", text, status=404)
    headers = {"cache-control": "public, max-age=3600", "x-content-type-options": "nosniff"}
    return JSONResponse(document, headers=headers)


def _parts(request: Request) -> tuple[Control, Consents]:
    control = control_of(request)
    if control.consents is None:
        raise NotFound("Nobody is asked for consent here.")
    return control, control.consents


async def _find(consents: Consents, link: str) -> Pending | None:
    return await consents.find(link) if len(link) <= _LONGEST_LINK else None


async def _visitor(control: Control, request: Request) -> Principal | None:
    """Who is signed in, in the browser that sent a GET."""
    sessions = control.sessions
    if sessions is None or not sessions.carried(request):
        return None
    found = await sessions.identify(request)
    return None if isinstance(found, Refuse) else found


async def _stranger(
    control: Control, request: Request, pending: Pending, visitor: Principal | None
) -> Response | None:
    """The page for who may not go on; None for whom the authorization was begun, as far as known.

    Raises nothing: what cannot be known for sure refuses.
    """
    snapshot = control.snapshot()
    if not is_there(pending, snapshot):
        return over()
    if visitor is not None and not is_owner(pending, visitor, snapshot):
        _deny(control, request, pending, f"{visitor.subject} opened what is another's")
        return other_account(visitor.subject, _account(control, pending))
    if visitor is None and await must_sign_in(control, pending):
        path = request.url.path
        # What came back was taken, so that it is over for who signed out meanwhile.
        if path == CALLBACK_PATH:
            return over()
        return sign_in_first(path, pending.tenant, _account(control, pending))
    return None


def _account(control: Control, pending: Pending) -> str:
    return account_name(pending.tenant, pending.owner, control.snapshot())


def _refused(control: Control, request: Request, pending: Pending, reason: str) -> Response:
    _deny(control, request, pending, reason)
    text = (
        "This page belongs to another browser window, or your browser keeps no cookies. Nothing "
        "was allowed. Make the call again, and open its address in the browser you want to use."
    )
    return message("This did not begin here", text, is_bad=True, status=403)


def _deny(control: Control, request: Request, pending: Pending, reason: str) -> None:
    client = request.client
    denial = Denial(
        action="grant.consent",
        correlation_id=correlation_id_of(request),
        peer=client.host if client else "",
        error=ErrorCode.FORBIDDEN,
        reason=f"{pending.upstream}: {reason}",
        tenant=pending.tenant,
    )
    control.note_denial(denial)


async def _note(
    control: Control,
    request: Request,
    pending: Pending,
    action: str,
    failure: GatewayError | None = None,
) -> None:
    """Record what was done for the account that is asked about; durable when this returns."""
    subject = subject_of(pending.tenant, pending.owner, control.snapshot())
    owner = Principal(pending.tenant, subject, frozenset())
    caller = Caller(owner, correlation_id_of(request))
    details: dict[str, object] = {"issuer": pending.issuer, "scopes": list(pending.scopes)}
    if failure is None:
        await control.note_action(caller, action, pending.upstream, details)
    else:
        details["failure"] = failure.private
        await control.note_failure(caller, action, pending.upstream, details)


def _cookies(consents: Consents) -> Cookies:
    return Cookies(consents.public_url)


def _cookie_name(link: str) -> str:
    return _COOKIE + _flow(link)


def _flow(link: str) -> str:
    return _digest(link)[:16]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
