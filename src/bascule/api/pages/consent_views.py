"""What the pages for consent look like."""

from typing import Final, NamedTuple
from urllib.parse import urlencode, urlsplit

from starlette.responses import Response

from bascule.api.pages.layout import escape, page
from bascule.api.signin.cookies import CSRF_FIELD
from bascule.upstreams.oauth.ports import Pending

SIGN_IN_PATH = "/sign-in"


class _Words(NamedTuple):
    """What is asked for, and of whom it is asked. `{}` is the service, and in `warning` whose."""

    title: str
    reason: str
    warning: str


_OF_CALLER: Final = _Words(
    "Let this gateway use {} for you?",
    "A call was made that needs access to this service in the name of the account below.",
    "Go on only if {} is yours, and you made that call yourself. If somebody sent you this "
    "address, close this window: they would get your access.",
)
_OF_ADMINISTRATOR: Final = _Words(
    "Let this gateway list what {} offers?",
    "An administrator asked for access with which the gateway lists what this service offers. "
    "Calls are made with the access of whoever makes them.",
    "Go on only if you administer this gateway, and asked for this address yourself: with your "
    "access {} sees what you see there, and shows it to whom its rules allow.",
)


def question(pending: Pending, account: str, csrf: str) -> Response:
    """Everything a person must know before they agree, and the button to."""
    issuer, leads_to = urlsplit(pending.issuer).netloc, origin_of(pending.url)
    scopes = " ".join(f"<span class='tag'>{escape(one)}</span>" for one in pending.scopes)
    rows = (
        ("Service", f"<strong>{escape(pending.upstream)}</strong>"),
        ("Its address", escape(pending.resource)),
        ("For the account", f"<strong>{escape(account)}</strong> in {escape(pending.tenant)}"),
        ("You sign in at", f"<strong>{escape(urlsplit(leads_to).netloc)}</strong>"),
        ("Access given by", escape(issuer)),
        ("It may", scopes or "whatever the service takes to be usual"),
        ("Known there as", f"<code>{escape(pending.client_id)}</code>"),
        ("You come back to", f"<code>{escape(pending.redirect_uri)}</code>"),
    )
    table = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)
    words = _OF_CALLER if pending.owner else _OF_ADMINISTRATOR
    body = f"""<h1>{escape(words.title.format(pending.upstream))}</h1>
<p>{words.reason}</p>
<dl>{table}</dl>
<p class="notice">{words.warning.format(f"<strong>{escape(account)}</strong>")}</p>
<form method="post" class="actions">
<input type="hidden" name="{CSRF_FIELD}" value="{escape(csrf)}">
<button name="decision" value="allow">Continue to {escape(urlsplit(leads_to).netloc)}</button>
<button name="decision" value="decline" class="quiet">Do not allow</button>
</form>"""
    return page("Allow access", body, leads_to=[leads_to])


def done(upstream: str, account: str) -> Response:
    """It worked."""
    body = f"""<h1>Access allowed</h1>
<p class="notice good" role="status">This gateway may use {escape(upstream)} for {escape(account)}
now.</p>
<p>You can close this window, and make the call again. What you allowed is listed, and taken back,
with <code>bascule grants</code> or at <code>/api/me/grants</code>.</p>"""
    return page("Access allowed", body)


def over() -> Response:
    """There is nothing (any more) at this address."""
    text = (
        "It was used, or it is older than ten minutes, or it never was. Make the call again, or "
        "ask with `bascule grants connect`, to get another one."
    )
    return message("This address is over", text, is_bad=True, status=404)


def other_account(visitor: str, account: str) -> Response:
    """Somebody else is signed in."""
    text = (
        f"You are signed in as {visitor}, and this address is for {account}. Nothing was allowed. "
        "If both are yours, sign out or open it in a private window; if somebody sent it to you, "
        "tell your administrator."
    )
    return message("This address is for another account", text, is_bad=True, status=403)


def sign_in_first(path: str, tenant: str, account: str) -> Response:
    """For whom it is can prove who they are, and must."""
    href = f"{SIGN_IN_PATH}?{urlencode({'next': path, 'tenant': tenant})}"
    body = f"""<h1>Sign in first</h1>
<p>This address is for {escape(account)}. Sign in to this gateway, so that it knows
that this is you.</p>
<p><a class="button" href="{escape(href)}">Sign in</a></p>"""
    return page("Sign in first", body, status=403)


def message(title: str, text: str, *, is_bad: bool = False, status: int = 200) -> Response:
    """A page that says one thing."""
    kind, role = ("notice bad", "alert") if is_bad else ("notice", "status")
    body = f"""<h1>{escape(title)}</h1>\n<p class="{kind}" role="{role}">{escape(text)}</p>"""
    return page(title, body, status=status)


def origin_of(url: str) -> str:
    """Scheme, host and port of `url`."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
