"""What the page behind `/elevate/` looks like: what was held back, and what to ask for."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.responses import Response

from bascule.api.elevated import LEAST_REASON, MOST_REASON, MOST_TICKET, Link, Terms
from bascule.api.pages.consent_views import message
from bascule.api.pages.elevation_words import (
    arguments,
    clean,
    comment_of,
    covered_by,
    covers,
    duration,
    rows,
    sentence,
    tool_rows,
)
from bascule.api.pages.forms import notice, token_field
from bascule.api.pages.layout import escape, page
from bascule.gateway.elevation import ScopeKind
from bascule.gateway.snapshot import TenantView
from bascule.policy.elevation import ElevationStatus
from bascule.storage.repositories.elevations import StoredElevation


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page is about. `signed_in` is False for who has nothing but the link."""

    link: Link
    view: TenantView
    terms: Terms
    account: str
    csrf: str
    signed_in: bool
    requests: tuple[StoredElevation, ...] = ()
    """What was asked for already that covers the call; the newest first."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What stood in the form, and what was wrong with it."""

    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    wrong: str = ""
    status: int = 200

    def get(self, name: str) -> str:
        """What stood in a field."""
        return self.fields.get(name, "")


def elevate_page(shown: Shown, filled: Filled) -> Response:
    """All of it: what was held back, how requests for it stand, and the form for another."""
    newest = shown.requests[0] if shown.requests else None
    is_open = newest is not None and newest.status is ElevationStatus.PENDING
    is_live = newest is not None and newest.status is ElevationStatus.APPROVED
    parts = [_heading(shown, newest), notice(filled.wrong)]
    if newest is not None:
        parts.append(_standing(shown, newest))
    parts.append(_call(shown))
    if not is_open and not is_live:
        parts += [_form(shown, filled), _next_steps(shown)]
    return page("Ask for elevation", "\n".join(parts), status=filled.status)


def over() -> Response:
    """There is nothing (any more) behind this link."""
    text = (
        "It is older than an hour, or it is not whole, or it was made by another gateway. Make the "
        "call again to get another one, or ask with `bascule elevation request`."
    )
    return message("This address is over", text, is_bad=True, status=404)


def _heading(shown: Shown, newest: StoredElevation | None) -> str:
    tool = clean(shown.link.tool)
    if newest is not None and newest.status is ElevationStatus.APPROVED:
        return f"<h1>You may use {tool} now</h1>"
    if newest is not None and newest.status is ElevationStatus.PENDING:
        return f"<h1>Your request to use {tool} waits</h1>"
    return (
        f"<h1>Ask to use {tool}?</h1>\n<p>A call of this tool was held back: somebody else has to "
        "agree to it first. Nothing was done.</p>"
    )


def _standing(shown: Shown, one: StoredElevation) -> str:
    said = comment_of(one)
    quote = f"<blockquote>{clean(said)}</blockquote>" if said else ""
    covered = f"<p>It is for {covers(one)}, for {duration(one.minutes)}.</p>"
    if one.status is ElevationStatus.APPROVED:
        after = "Go back to your client, and make the call again."
        return f'<p class="notice good" role="status">{sentence(one)} {after}</p>{quote}{covered}'
    if one.status is ElevationStatus.PENDING:
        return f"""<p class="notice" role="status">{sentence(one)}</p>
{covered}
<p>Load this page again to see whether somebody has decided. Then make the call again.</p>
<form method="post" class="actions">{token_field(shown.csrf)}
<a class="button" href="">Look again</a>
<button name="decision" value="cancel" class="quiet">Cancel the request</button></form>"""
    kind = "bad" if one.status is ElevationStatus.DENIED else ""
    return f'<p class="notice {kind}" role="status">Your last request: {sentence(one)}</p>{quote}'


def _call(shown: Shown) -> str:
    link = shown.link
    members = [("For", f"<strong>{clean(shown.account)}</strong> in {clean(link.tenant)}")]
    members += tool_rows(shown.view, link.tool, link.bundle)
    members.append(("Arguments", arguments(link.arguments)))
    return f"<h2>The call</h2>\n{rows(members)}"


def _form(shown: Shown, filled: Filled) -> str:
    terms = shown.terms
    minutes = filled.get("minutes") or str(min(terms.default_minutes, terms.max_minutes))
    return f"""<h2>Your request</h2>
<form method="post">{token_field(shown.csrf)}
<label for="reason">Why do you need it?</label>
<p class="hint" id="reason-hint">Who decides reads this, and it goes on record.</p>
<textarea id="reason" name="reason" rows="3" minlength="{LEAST_REASON}"
 maxlength="{MOST_REASON}" required
 aria-describedby="reason-hint">{escape(filled.get("reason"))}</textarea>
<label for="ticket">Ticket <span class="muted">(if there is one)</span></label>
<input id="ticket" name="ticket" maxlength="{MOST_TICKET}" value="{escape(filled.get("ticket"))}"
 autocomplete="off">
{_scopes(shown, filled.get("scope"))}
<label for="minutes">For how many minutes?</label>
<p class="hint" id="minutes-hint">At most {terms.max_minutes} ({duration(terms.max_minutes)}),
from the moment somebody agrees.</p>
<input id="minutes" name="minutes" type="number" min="1" max="{terms.max_minutes}"
 value="{escape(minutes)}" required aria-describedby="minutes-hint">
<button name="decision" value="ask">Ask for it</button>
</form>"""


def _scopes(shown: Shown, chosen: str) -> str:
    link = shown.link
    offered = [
        (ScopeKind.CALL, "Exactly this call, once", "With the arguments above."),
        (ScopeKind.TOOL, f"{clean(link.tool)}, as often as needed", "With any arguments."),
    ]
    if link.bundle:
        tools = len(covered_by(shown.view, link.bundle))
        hint = f"It has {tools} tools. Ask for it only if you need several."
        if tools > 1:
            offered.append((ScopeKind.BUNDLE, f"Every tool of {clean(link.bundle)}", hint))
    wanted = chosen if chosen in {kind.value for kind, _, _ in offered} else ScopeKind.CALL
    choices = "\n".join(
        f'<label class="choice"><input type="radio" name="scope" value="{kind}"'
        f"{' checked' if kind == wanted else ''}> "
        f'<span>{name} <span class="hint">{hint}</span></span></label>'
        for kind, name, hint in offered
    )
    return f"<fieldset><legend>For what?</legend>\n{choices}\n</fieldset>"


def _next_steps(shown: Shown) -> str:
    sign_in = (
        ""
        if shown.signed_in
        else '<p class="hint">Nobody is signed in here: whoever has this address can ask, in the '
        f"name of {clean(shown.account)}. Do not pass it on.</p>"
    )
    return f"""<h2>What happens then</h2>
<ol><li>Whoever may approve elevations sees your request, and decides. You cannot do that
yourself{", unless this gateway allows it" if shown.terms.self_approval else ""}.</li>
<li>This page says what they decided. A request is void after
{duration(shown.terms.request_minutes)}.</li>
<li>Once they agree, make the call again in your client. It ends by itself when the time is over,
and can be revoked before.</li></ol>{sign_in}"""
