"""The pages where people come in and go out: `/sign-in` with the providers, and `/sign-out`."""

import secrets
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from bascule.api.pages.forms import (
    PageRoute,
    failure_page,
    fields_of,
    hidden,
    notice,
    password_field,
    redirect,
    refusal_page,
    token_field,
)
from bascule.api.pages.layout import escape, page, page_headers
from bascule.api.signin.cookies import CSRF_FIELD, FORM, SESSION, csrf_token
from bascule.api.signin.desk import Credentials
from bascule.api.signin.house import SignIn, host_of, sign_in_of
from bascule.api.signin.oidc import HOME, local_path
from bascule.api.signin.providers import Return
from bascule.api.signin.visits import visit_of
from bascule.gateway.errors import ErrorCode
from bascule.gateway.issuer import Issuer
from bascule.gateway.verdict import Refuse
from bascule.storage.seed import DEFAULT_TENANT

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/sign-in")
async def show_sign_in(request: Request) -> Response:
    """The form, and a button for each provider; who is in already goes on."""
    sign_in = sign_in_of(request)
    next_path = local_path(request.query_params.get("next"))
    if sign_in.browsers.carried(request):
        visitor = await sign_in.browsers.visitor(request)
        if not isinstance(visitor, Refuse):
            return redirect(next_path)
    tenant = request.query_params.get("tenant", "")
    return _form(request, sign_in, {"next": next_path, "tenant": tenant})


@router.post("/sign-in")
async def sign_in_with_password(request: Request) -> Response:
    """Let in who knows a password."""
    sign_in = sign_in_of(request)
    sent = await fields_of(request, "name", "password", "tenant", "next", CSRF_FIELD)
    if not sign_in.cookies.is_ours(request, sign_in.cookies.read(request, FORM), sent[CSRF_FIELD]):
        return _form(request, sign_in, sent, _STALE, 403)
    tenant = sign_in.tenant_of(request, sent["tenant"].strip())
    given = Credentials(tenant, sent["name"].strip(), sent["password"])
    ticket = await sign_in.desk.sign_in(visit_of(request), given, sign_in.old_ticket(request))
    if isinstance(ticket, Refuse):
        known = ticket.error in {ErrorCode.INVALID_TOKEN, ErrorCode.FORBIDDEN}
        status = 403 if known else ticket.error.http_status
        return _waiting(_form(request, sign_in, sent, ticket.public, status), ticket)
    return enter(request, sign_in, ticket.text, local_path(sent["next"]))


@router.get("/sign-in/{name}")
async def go_to_provider(request: Request, name: str) -> Response:
    """Send the browser to a provider."""
    sign_in = sign_in_of(request)
    issuer = sign_in.providers.find(name, host_of(request))
    if issuer is None:
        return failure_page(request, ErrorCode.NOT_FOUND, "There is no such way to sign in.")
    browser = sign_in.cookies.read(request, FORM) or secrets.token_urlsafe(32)
    next_path = local_path(request.query_params.get("next"))
    base_url = sign_in.base_url(request)
    url = await sign_in.providers.begin(issuer, base_url, browser, next_path)
    if isinstance(url, Refuse):
        return failure_page(request, url.error, url.public)
    response = RedirectResponse(url, 303, page_headers())
    sign_in.cookies.set(request, response, FORM, browser)
    return response


@router.get("/sign-in/{name}/callback")
async def come_back(request: Request, name: str) -> Response:
    """Let in whom a provider sent back."""
    sign_in = sign_in_of(request)
    members = request.query_params.multi_items()
    answer = dict(members)
    if len(answer) != len(members):
        return failure_page(request, ErrorCode.INVALID_REQUEST, "This answer says things twice.")
    browser = sign_in.cookies.read(request, FORM) or ""
    back = Return(name, host_of(request), browser, answer, sign_in.old_ticket(request))
    arrival = await sign_in.providers.finish(visit_of(request), back)
    if isinstance(arrival, Refuse):
        waits = arrival.error is ErrorCode.TOO_MANY_ATTEMPTS
        error = arrival.error if waits else ErrorCode.FORBIDDEN
        return _waiting(failure_page(request, error, arrival.public), arrival)
    return enter(request, sign_in, arrival.ticket.text, arrival.next_path)


@router.get("/sign-out")
async def ask_to_sign_out(request: Request) -> Response:
    """A button, since a mere link could be followed by anything."""
    sign_in = sign_in_of(request)
    visitor = await sign_in.browsers.visitor(request)
    if isinstance(visitor, Refuse):
        return redirect("/sign-in")
    body = f"""<h1>Sign out?</h1>
<p>You are signed in as <strong>{escape(visitor.principal.subject)}</strong>.</p>
<form method="post" action="/sign-out" class="actions">{token_field(visitor.csrf_token)}
<button>Sign out</button>
<a class="button quiet" href="{HOME}">Stay</a></form>"""
    return page("Sign out", body, narrow=True)


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """End the session, and say where to sign out as well."""
    sign_in = sign_in_of(request)
    sent = await fields_of(request, CSRF_FIELD)
    visitor = await sign_in.browsers.visitor(request, sent[CSRF_FIELD])
    elsewhere = None
    if isinstance(visitor, Refuse):
        if visitor.error is ErrorCode.FORGED:
            return refusal_page(request, visitor)
    else:
        await sign_in.entries.end(visit_of(request), visitor, visitor.session.id)
        back_to = f"{sign_in.base_url(request)}/sign-in"
        elsewhere = await sign_in.providers.sign_out_url(visitor.session.issuer, back_to)
    response = page("Signed out", _signed_out(elsewhere), narrow=True)
    sign_in.cookies.clear(request, response, SESSION)
    return response


def enter(request: Request, sign_in: SignIn, cookie: str, next_path: str) -> Response:
    """Give the browser its cookie, and send it where its user wanted to go."""
    response = redirect(next_path)
    sign_in.cookies.set(request, response, SESSION, cookie)
    sign_in.cookies.clear(request, response, FORM)
    return response


def _waiting(response: Response, refusal: Refuse) -> Response:
    """`response` with the seconds after which to try again, where `refusal` has them."""
    seconds = (refusal.details or {}).get("retry_after_seconds")
    if seconds is not None:
        response.headers["retry-after"] = str(seconds)
    return response


def _form(
    request: Request,
    sign_in: SignIn,
    sent: dict[str, str],
    wrong: str = "",
    status: int = 200,
) -> Response:
    browser = sign_in.cookies.read(request, FORM) or secrets.token_urlsafe(32)
    next_path = local_path(sent.get("next"))
    ways = sign_in.providers.offered(host_of(request))
    local = sign_in.desk.rules.local_accounts
    parts = ["<h1>Sign in</h1>", notice(wrong)]
    if local:
        tenant = _tenant_field(request, sign_in, sent.get("tenant", ""))
        parts.append(_password_form(csrf_token(browser), next_path, sent.get("name", ""), tenant))
    if local and ways:
        parts.append('<p class="or">or</p>')
    parts += [_provider_button(one, next_path) for one in ways]
    if not local and not ways:
        parts.append(notice("Nobody can sign in here yet: an administrator must add an issuer."))
    elif local and not sign_in.snapshot.tenant(DEFAULT_TENANT).people:
        parts.append(_FIRST_TIME)
    response = page("Sign in", "\n".join(parts), status=status, narrow=True)
    sign_in.cookies.set(request, response, FORM, browser)
    return response


def _password_form(token: str, next_path: str, name: str, tenant: str) -> str:
    focus = "" if name else " autofocus"
    return f"""<form method="post" action="/sign-in">
{token_field(token)}{hidden("next", next_path)}{tenant}
<label for="name">Name</label>
<input id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck="false"
 maxlength="200" value="{escape(name)}" required{focus}>
{password_field("password", "Password")}
<button class="full">Sign in</button>
</form>"""


def _tenant_field(request: Request, sign_in: SignIn, wanted: str) -> str:
    snapshot = sign_in.snapshot
    if host_of(request) in snapshot.hosts or len(snapshot.tenants) < 2:
        return ""
    return (
        '<label for="tenant">Tenant</label>\n'
        '<input id="tenant" name="tenant" autocomplete="organization" autocapitalize="none" '
        f'maxlength="63" value="{escape(wanted or DEFAULT_TENANT)}" required>'
    )


def _provider_button(issuer: Issuer, next_path: str) -> str:
    query = urlencode({"next": next_path})
    path = f"/sign-in/{quote(issuer.name, safe='')}?{query}"
    return (
        f'<a class="button quiet full" href="{escape(path)}">Sign in with {escape(issuer.name)}</a>'
    )


def _signed_out(elsewhere: tuple[str, str] | None) -> str:
    parts = ["<h1>Signed out</h1>", "<p>You are signed out here.</p>"]
    if elsewhere is not None:
        name, url = elsewhere
        parts.append(
            f"<p>You may still be signed in at {escape(name)}, and then anybody at this browser "
            f'gets in again without a password.</p>\n<p><a class="button" href="{escape(url)}">'
            f"Sign out at {escape(name)} as well</a></p>"
        )
    parts.append('<p><a href="/sign-in">Sign in again</a></p>')
    return "\n".join(parts)


_STALE = (
    "This form was too old, or your browser did not send the cookie that goes with it. Try again. "
    "If this stays: allow cookies, and open this page over https, as it is meant to be."
)
_FIRST_TIME = (
    '<p class="hint">First time here? <code>bascule up</code> prints a one-time link for the first '
    "administrator when it starts.</p>"
)
