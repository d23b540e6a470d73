"""The page behind the one-time link: it makes the first administrator."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from bascule.api.pages.forms import (
    PageRoute,
    failure_page,
    fields_of,
    notice,
    password_field,
    refusal_page,
)
from bascule.api.pages.layout import escape, page
from bascule.api.pages.sign_in import enter
from bascule.api.signin.browsers import FORGED
from bascule.api.signin.house import sign_in_of
from bascule.api.signin.oidc import HOME
from bascule.api.signin.setup import LINK_OVER
from bascule.api.signin.visits import visit_of
from bascule.gateway.errors import ErrorCode
from bascule.gateway.verdict import Refuse

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/setup/{token}")
async def show_setup(request: Request, token: str) -> Response:
    """Ask for a name and a password; looking does not use the link up."""
    sign_in = sign_in_of(request)
    if not await sign_in.setup.is_open(token):
        return failure_page(request, LINK_OVER.error, LINK_OVER.public)
    return _form(sign_in.desk.rules.least_characters, "admin")


@router.post("/setup/{token}")
async def set_up(request: Request, token: str) -> Response:
    """Make the first administrator, and let them in."""
    sign_in = sign_in_of(request)
    if not sign_in.cookies.is_same_origin(request):
        return refusal_page(request, FORGED)
    sent = await fields_of(request, "name", "password", "again")
    least, name = sign_in.desk.rules.least_characters, sent["name"].strip()
    if sent["password"] != sent["again"]:
        return _form(least, name, "The two passwords are not the same.", 400)
    ticket = await sign_in.setup.use(visit_of(request), token, name, sent["password"])
    if not isinstance(ticket, Refuse):
        return enter(request, sign_in, ticket.text, HOME)
    if ticket.error is ErrorCode.INVALID_VALUE:
        return _form(least, name, ticket.public, ticket.error.http_status)
    return failure_page(request, ticket.error, ticket.public)


def _form(least: int, name: str, wrong: str = "", status: int = 200) -> Response:
    hint = f"At least {least} characters. A sentence of a few words is good."
    body = f"""<h1>Welcome</h1>
<p>Nobody administers this gateway yet. Choose a name and a password: you will be the first
administrator, and can let others in.</p>
{notice(wrong)}
<form method="post">
<label for="name">Name</label>
<input id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck="false"
 maxlength="200" value="{escape(name)}" required>
{password_field("password", "Password", is_new=True, hint=hint)}
{password_field("again", "The same again", is_new=True)}
<button class="full">Create the account</button>
</form>"""
    return page("Welcome", body, status=status, narrow=True)
