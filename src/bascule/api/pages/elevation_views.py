"""What the page of one request for elevation looks like: all that it would allow, and the forms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from starlette.responses import Response

from bascule.api.elevated import MOST_COMMENT, Seen, Terms
from bascule.api.pages.elevation_words import (
    arguments,
    clean,
    comment_of,
    covers,
    duration,
    history,
    rows,
    sentence,
    tool_rows,
    tools_of,
)
from bascule.api.pages.forms import moment, notice, token_field
from bascule.api.pages.layout import escape, page
from bascule.gateway.elevation import ScopeKind
from bascule.gateway.snapshot import TenantView
from bascule.policy.elevation import ElevationStatus
from bascule.storage.repositories.elevations import StoredElevation

HOME: Final = "/elevations"


@dataclass(frozen=True, slots=True)
class Detail:
    """One request, and who looks at it."""

    seen: Seen
    view: TenantView
    terms: Terms
    csrf: str
    can_approve: bool
    is_own: bool
    """It is theirs, or they asked for it, so that somebody else must decide."""
    wrong: str = ""
    status: int = 200
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    """What stood in the form that was refused."""

    @property
    def one(self) -> StoredElevation:
        """The request."""
        return self.seen.elevation


def detail_page(detail: Detail) -> Response:
    """One request: what it is for, who asks, and what those who look at it can do about it."""
    one = detail.one
    parts = [
        f'<p class="hint"><a href="{HOME}">Elevation</a></p>',
        f"<h1>{clean(one.scope.name)} for {clean(one.holder.subject)}</h1>",
        notice(detail.wrong),
        _standing(one),
        _facts(detail),
        _enables(detail),
        _actions(detail),
    ]
    return page("Elevation", "\n".join(parts), status=detail.status)


def _standing(one: StoredElevation) -> str:
    kinds = {ElevationStatus.APPROVED: "good", ElevationStatus.DENIED: "bad"}
    said = comment_of(one)
    quote = f"<blockquote>{clean(said)}</blockquote>" if said else ""
    kind = f"notice {kinds.get(one.status, '')}".strip()
    return f'<p class="{kind}" role="status">{sentence(one)}</p>{quote}'


def _facts(detail: Detail) -> str:
    one = detail.one
    asker = clean(one.asked_by) if one.asked_by != one.holder.subject else ""
    who = f"<strong>{clean(one.holder.subject)}</strong>"
    if one.holder.key_id:
        who += ' <span class="muted">(the key of a service)</span>'
    return rows(
        [
            ("Who", who),
            ("Asked for by", asker),
            ("Asked before", _before(detail) if detail.can_approve else ""),
            ("Why", f'<div class="said">{clean(one.reason)}</div>'),
            ("Ticket", clean(one.ticket)),
            ("Asked on", moment(one.requested_at)),
            ("For", _time(one)),
            ("Reference", f"<code>{clean(one.reference)}</code>" if one.reference else ""),
        ]
    )


def _before(detail: Detail) -> str:
    counts = dict(detail.seen.history)
    counts[detail.one.status] = counts.get(detail.one.status, 1) - 1
    return history(counts)


def _time(one: StoredElevation) -> str:
    if one.minutes == one.asked_minutes:
        return duration(one.minutes)
    return f"{duration(one.minutes)} (of {duration(one.asked_minutes)} asked for)"


def _enables(detail: Detail) -> str:
    one, view = detail.one, detail.view
    parts = ["<h2>What it allows</h2>", f"<p>It allows {covers(one)}.</p>"]
    if one.scope.kind is ScopeKind.BUNDLE:
        parts.append(tools_of(view, one.scope.name))
    else:
        parts.append(rows(tool_rows(view, one.scope.name, one.bundle)))
    if one.arguments is not None:
        title = "Its arguments"
        if one.scope.kind is not ScopeKind.CALL:
            title = f"The call of {clean(one.tool)} that it came of"
        parts.append(f"<h3>{title}</h3>\n{arguments(one.arguments)}")
        parts.append('<p class="hint">Values are masked, as in the records.</p>')
    return "\n".join(parts)


def _actions(detail: Detail) -> str:
    one, parts = detail.one, list[str]()
    if one.status is ElevationStatus.PENDING:
        if detail.can_approve and (not detail.is_own or detail.terms.self_approval):
            parts += [_approve_form(detail), _deny_form(detail)]
        elif detail.can_approve:
            parts.append(
                '<p class="notice" role="status">This is your own request. Somebody else who may '
                "approve elevations has to decide about it.</p>"
            )
        if detail.is_own:
            parts.append(_one_button(detail, "cancel", "Cancel the request", "quiet"))
    elif one.status is ElevationStatus.APPROVED and (detail.can_approve or detail.is_own):
        hint = '<p class="hint">The next call is refused. What runs already goes on.</p>'
        parts.append(f"<h2>End it now</h2>{hint}{_revoke_form(detail)}")
    return "\n".join(parts)


def _approve_form(detail: Detail) -> str:
    one = detail.one
    minutes = detail.fields.get("minutes") or str(one.minutes)
    return f"""<h2>Approve</h2>
{_form(detail, "approve")}
{_narrower(detail)}
<label for="minutes">For how many minutes?</label>
<p class="hint" id="minutes-hint">{one.minutes} were asked for; you can give less.</p>
<input id="minutes" name="minutes" type="number" min="1" max="{one.minutes}"
 value="{escape(minutes)}" required aria-describedby="minutes-hint">
{_comment("approve-comment", "A word with it")}
<button>Approve</button></form>"""


def _deny_form(detail: Detail) -> str:
    return f"""<h2>Or deny</h2>
{_form(detail, "deny")}
{_comment("deny-comment", "Why not?", is_needed=True)}
<button class="danger">Deny</button></form>"""


def _revoke_form(detail: Detail) -> str:
    comment = _comment("revoke-comment", "Why?")
    return f'{_form(detail, "revoke")}\n{comment}\n<button class="danger">Revoke</button></form>'


def _one_button(detail: Detail, action: str, text: str, kind: str) -> str:
    return f'{_form(detail, action)}<button class="{kind}">{text}</button></form>'


def _form(detail: Detail, action: str) -> str:
    path = f"{HOME}/{detail.one.id}/{action}"
    return f'<form method="post" action="{path}">{token_field(detail.csrf)}'


def _comment(name: str, label: str, *, is_needed: bool = False) -> str:
    needed = " required" if is_needed else ""
    optional = "" if is_needed else ' <span class="muted">(if you like)</span>'
    return (
        f'<label for="{name}">{label}{optional}</label>\n'
        f'<textarea id="{name}" name="comment" rows="2" maxlength="{MOST_COMMENT}"{needed}>'
        "</textarea>"
    )


def _narrower(detail: Detail) -> str:
    """What can be granted instead of what was asked for: less of it."""
    one = detail.one
    offered = [(one.scope.kind, f"As asked: {covers(one)}")]
    if one.scope.kind is ScopeKind.BUNDLE and one.tool:
        offered.append((ScopeKind.TOOL, f"Only {clean(one.tool)}, with any arguments"))
    if one.scope.kind is not ScopeKind.CALL and one.digest:
        offered.append((ScopeKind.CALL, f"Only the one call of {clean(one.tool)} it came of"))
    if len(offered) == 1:
        return ""
    choices = "\n".join(
        f'<label class="choice"><input type="radio" name="scope" value="{kind}"'
        f"{' checked' if kind is one.scope.kind else ''}> <span>{text}</span></label>"
        for kind, text in offered
    )
    return f"<fieldset><legend>For what?</legend>\n{choices}\n</fieldset>"
