"""The page of who is signed in: who that is here, where else they are signed in, the password."""

import re
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from bascule.api.pages.forms import (
    PageRoute,
    fields_of,
    moment,
    notice,
    password_field,
    redirect,
    refusal_page,
    token_field,
)
from bascule.api.pages.layout import escape, page
from bascule.api.signin.browsers import Visitor
from bascule.api.signin.cookies import CSRF_FIELD, SESSION
from bascule.api.signin.house import SignIn, sign_in_of
from bascule.api.signin.visits import visit_of
from bascule.gateway.verdict import Refuse
from bascule.storage.repositories.sessions import StoredSession
from bascule.storage.repositories.users import StoredUser

router = APIRouter(prefix="/account", include_in_schema=False, route_class=PageRoute)

_DONE: Final = {
    "password": "Your password is changed. You are signed out everywhere else.",
    "ended": "That session has ended.",
}
_BROWSERS: Final = (
    ("Edge", "Edg/"),
    ("Opera", "OPR/"),
    ("Firefox", "Firefox/"),
    ("Chrome", "Chrome/"),
    ("Safari", "Safari/"),
)
_SYSTEMS: Final = ("Windows", "Android", "iPhone", "iPad", "Mac OS X", "CrOS", "Linux")
_WORD: Final = re.compile(r"[\w.-]+")


@router.get("")
async def show_account(request: Request) -> Response:
    """Who is signed in, and what they can do about it."""
    sign_in = sign_in_of(request)
    visitor = await sign_in.browsers.visitor(request)
    if isinstance(visitor, Refuse):
        return refusal_page(request, visitor)
    said = _DONE.get(request.query_params.get("done", ""), "")
    return await _account(sign_in, visitor, notice(said, "good"))


@router.post("/password")
async def change_password(request: Request) -> Response:
    """Set another password."""
    sign_in = sign_in_of(request)
    sent = await fields_of(request, "current", "password", "again", CSRF_FIELD)
    visitor = await sign_in.browsers.visitor(request, sent[CSRF_FIELD])
    if isinstance(visitor, Refuse):
        return refusal_page(request, visitor)
    if sent["password"] != sent["again"]:
        wrong = notice("The two new passwords are not the same.")
        return await _account(sign_in, visitor, wrong, 400)
    ticket = await sign_in.desk.change_password(
        visit_of(request), visitor, sent["current"], sent["password"]
    )
    if isinstance(ticket, Refuse):
        shown = notice(ticket.public)
        return await _account(sign_in, visitor, shown, ticket.error.http_status)
    response = redirect("/account?done=password")
    sign_in.cookies.set(request, response, SESSION, ticket.text)
    return response


@router.post("/sessions/{session_id}/end")
async def end_session(request: Request, session_id: UUID) -> Response:
    """End one session; that of this browser is a sign-out."""
    sign_in = sign_in_of(request)
    sent = await fields_of(request, CSRF_FIELD)
    visitor = await sign_in.browsers.visitor(request, sent[CSRF_FIELD])
    if isinstance(visitor, Refuse):
        return refusal_page(request, visitor)
    await sign_in.entries.end(visit_of(request), visitor, session_id)
    return redirect("/account?done=ended")


@router.post("/sign-out-everywhere")
async def sign_out_everywhere(request: Request) -> Response:
    """End every session, this one included."""
    sign_in = sign_in_of(request)
    sent = await fields_of(request, CSRF_FIELD)
    visitor = await sign_in.browsers.visitor(request, sent[CSRF_FIELD])
    if isinstance(visitor, Refuse):
        return refusal_page(request, visitor)
    await sign_in.entries.end_everywhere(visit_of(request), visitor)
    body = (
        "<h1>Signed out everywhere</h1>\n<p>Every browser you were signed in with has to sign in "
        'again.</p>\n<p><a href="/sign-in">Sign in again</a></p>'
    )
    response = page("Signed out everywhere", body, narrow=True)
    sign_in.cookies.clear(request, response, SESSION)
    return response


async def _account(sign_in: SignIn, visitor: Visitor, said: str, status: int = 200) -> Response:
    user = await sign_in.entries.account(visitor)
    sessions = await sign_in.entries.list(visitor)
    name = visitor.principal.subject
    parts = [f"<h1>{escape((user.display_name if user else '') or name)}</h1>", said]
    parts.append(_facts(visitor, user))
    parts.append(
        f'<form method="post" action="/sign-out">{token_field(visitor.csrf_token)}'
        "<button>Sign out</button></form>"
    )
    parts.append('<p class="hint"><a href="/chat">Talk to the assistant</a></p>')
    parts.append(
        '<p class="hint"><a href="/elevations">What you asked leave for, and may do</a></p>'
    )
    parts.append('<p class="hint"><a href="/">How to connect a client, and what to try</a></p>')
    parts.append(_sessions(sessions, visitor))
    if user is not None and user.password_hash is not None and sign_in.desk.rules.local_accounts:
        parts.append(_password_form(visitor, sign_in.desk.rules.least_characters))
    return page("Your account", "\n".join(parts), status=status)


def _facts(visitor: Visitor, user: StoredUser | None) -> str:
    principal, session = visitor.principal, visitor.session
    roles = " ".join(f'<span class="tag">{escape(one)}</span>' for one in sorted(principal.roles))
    if not roles:
        roles = "none yet: ask an administrator for one, until then you may do nothing here"
    facts = [
        ("Name", escape(principal.subject)),
        ("Tenant", escape(principal.tenant)),
        ("Roles", roles),
        ("Signed in", f"{moment(session.created_at)}, with {_means(session)}"),
        ("Until", f"{moment(session.expires_at)} at the latest"),
    ]
    if user is not None and user.email:
        facts.insert(1, ("E-mail", escape(user.email)))
    if principal.groups:
        facts.insert(-2, ("Groups", escape(", ".join(sorted(principal.groups)))))
    return f"<dl>{''.join(f'<dt>{name}</dt><dd>{value}</dd>' for name, value in facts)}</dl>"


def _means(session: StoredSession) -> str:
    return f"<code>{escape(session.issuer)}</code>" if session.issuer else "a password"


def _sessions(sessions: tuple[StoredSession, ...], visitor: Visitor) -> str:
    rows = "\n".join(_session(one, visitor) for one in sessions)
    return f"""<h2>Where you are signed in</h2>
<table>
<thead><tr><th scope="col">Browser</th><th scope="col">Address</th><th scope="col">Last seen</th>
<th scope="col">Action</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
<form method="post" action="/account/sign-out-everywhere">{token_field(visitor.csrf_token)}
<button class="danger">Sign out everywhere</button></form>
<p class="hint">Ends every session, this one too, and tokens that were given to programs before
now. API keys go on.</p>"""


def _session(session: StoredSession, visitor: Visitor) -> str:
    name = browser_name(session.agent)
    action = '<span class="tag">this one</span>'
    if session.id != visitor.session.id:
        action = (
            f'<form method="post" action="/account/sessions/{session.id}/end">'
            f'{token_field(visitor.csrf_token)}<button class="small quiet" '
            f'aria-label="End the session of {escape(name)}">End</button></form>'
        )
    return (
        f'<tr><td>{escape(name)}</td><td data-label="Address">{escape(session.peer)}</td>'
        f'<td data-label="Last seen">{moment(session.seen_at)}</td><td>{action}</td></tr>'
    )


def _password_form(visitor: Visitor, least: int) -> str:
    hint = f"At least {least} characters. A sentence of a few words is good."
    return f"""<h2>Change your password</h2>
<form method="post" action="/account/password">{token_field(visitor.csrf_token)}
<input type="text" name="username" value="{escape(visitor.principal.subject)}"
 autocomplete="username" readonly hidden>
{password_field("current", "Current password")}
{password_field("password", "New password", is_new=True, hint=hint)}
{password_field("again", "The new one again", is_new=True)}
<button>Change the password</button>
</form>
<p class="hint">Every other session of yours ends.</p>"""


def browser_name(agent: str) -> str:
    """What people call a browser that calls itself `agent`."""
    name = next((name for name, mark in _BROWSERS if mark in agent), "")
    system = next((one for one in _SYSTEMS if one in agent), "").replace("Mac OS X", "macOS")
    if name:
        return f"{name} on {system}" if system else name
    word = _WORD.match(agent)
    return word[0][:40] if word else "unknown"
