"""Elevation as people read it: what a grant covers, for how long, and how a request stands."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from bascule.api.pages.forms import moment
from bascule.api.pages.layout import escape
from bascule.catalogue.openapi.characters import hides_something, visible
from bascule.gateway.elevation import ScopeKind
from bascule.gateway.snapshot import TenantView
from bascule.gateway.tool import RiskLevel, Tool
from bascule.policy.elevation import ElevationStatus
from bascule.storage.repositories.elevations import StoredElevation

RISKS: Final = {
    RiskLevel.READ: "It only reads.",
    RiskLevel.WRITE: "It changes something.",
    RiskLevel.PRIVILEGED: "It can do lasting harm, so that a person decides about its use.",
}
STATUSES: Final = {
    ElevationStatus.PENDING: "waiting",
    ElevationStatus.APPROVED: "active",
    ElevationStatus.USED: "used up",
    ElevationStatus.DENIED: "denied",
    ElevationStatus.CANCELLED: "cancelled",
    ElevationStatus.REVOKED: "revoked",
    ElevationStatus.EXPIRED: "over",
}
_MOST_CHARACTERS: Final = 6_000
_MOST_DESCRIPTION: Final = 400
_MOST_TOOLS: Final = 30
_HIDDEN: Final = (
    '<p class="hint">It held characters that nobody can see. They are left out here.</p>'
)


def duration(minutes: int) -> str:
    """A time as people say it: `90 minutes`, `2 hours`, `1 day`."""
    for size, name in ((1440, "day"), (60, "hour")):
        if minutes >= size and minutes % size == 0:
            return _counted(minutes // size, name)
    return _counted(minutes, "minute")


def clean(text: object) -> str:
    """Foreign text for a page: escaped, and without characters that could mislead who decides."""
    return escape(visible(str(text)))


def shortened(text: str, most: int = _MOST_DESCRIPTION) -> str:
    """`text`, cleaned, up to `most` characters of it."""
    plain = visible(text).strip()
    return escape(plain if len(plain) <= most else f"{plain[:most].rstrip()}…")


def covers(one: StoredElevation) -> str:
    """What a grant lets its holder do, as HTML within a line."""
    scope = one.scope
    if scope.kind is ScopeKind.BUNDLE:
        return f"every tool of the bundle <strong>{clean(scope.name)}</strong>"
    tool = f"<strong>{clean(scope.name)}</strong>"
    if scope.kind is ScopeKind.CALL:
        return f"one call of {tool}, with exactly the arguments that are shown"
    return f"{tool}, with any arguments"


def sentence(one: StoredElevation) -> str:
    """How a request stands, who saw to it, and until when, as HTML within a line."""
    by, ended = clean(one.decided_by), f"{clean(one.ended_by)} on {moment(one.ended_at)}"
    if one.status is ElevationStatus.EXPIRED and one.decided_at is None:
        return f"Nobody decided before {moment(one.void_at)}."
    return {
        ElevationStatus.PENDING: f"Nobody has decided yet. It is void on {moment(one.void_at)}.",
        ElevationStatus.APPROVED: f"Approved by {by}, until {moment(one.expires_at)}.",
        ElevationStatus.USED: f"Approved by {by}, and used on {moment(one.ended_at)}.",
        ElevationStatus.DENIED: f"Denied by {by} on {moment(one.decided_at)}.",
        ElevationStatus.CANCELLED: f"Cancelled by {ended}.",
        ElevationStatus.REVOKED: f"Revoked by {ended}.",
        ElevationStatus.EXPIRED: f"Approved by {by}; over since {moment(one.expires_at)}.",
    }[one.status]


def comment_of(one: StoredElevation) -> str:
    """What was said with the last decision, as it was written."""
    return one.end_comment or one.comment


def latest(one: StoredElevation) -> datetime:
    """When something last happened to a request."""
    return one.ended_at or one.decided_at or one.requested_at


def tag(text: str, kind: str = "") -> str:
    """A word in a frame."""
    return f'<span class="tag{f" {kind}" if kind else ""}">{escape(text)}</span>'


def status_tag(status: ElevationStatus) -> str:
    """How a request stands, in a frame."""
    kinds = {
        ElevationStatus.PENDING: "warn",
        ElevationStatus.APPROVED: "good",
        ElevationStatus.DENIED: "bad",
        ElevationStatus.REVOKED: "bad",
    }
    return tag(STATUSES[status], kinds.get(status, ""))


def risk_tag(risk: RiskLevel) -> str:
    """A risk level, in a frame."""
    return tag(risk, "bad" if risk is RiskLevel.PRIVILEGED else "")


def rows(members: Sequence[tuple[str, str]]) -> str:
    """Names and what belongs to them; of HTML, without those that are empty."""
    found = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in members if value)
    return f"<dl>{found}</dl>"


def tool_rows(view: TenantView, name: str, bundle: str) -> list[tuple[str, str]]:
    """What there is to know about a tool before somebody is let use it."""
    tool = view.tools.get(name)
    title = f"<strong>{clean(name)}</strong>"
    if tool is None:
        gone = f'{title}<div class="hint">There is no such tool any more.</div>'
        return [("Tool", gone), ("Bundle", clean(bundle))]
    if tool.title and tool.title != name:
        title = f"<strong>{clean(tool.title)}</strong> ({clean(name)})"
    said = "" if tool.description == tool.title else shortened(tool.description)
    said = f'<div class="hint">{said}</div>' if said else ""
    risk = f'{risk_tag(tool.risk)} <span class="muted">{RISKS[tool.risk]}</span>'
    return [("Tool", title + said), ("Risk", risk), ("Bundle", clean(bundle))]


def covered_by(view: TenantView, bundle: str) -> list[Tool]:
    """The tools that a grant for `bundle` covers as of now: its own, and those that it shows."""
    own = {name: tool for name, tool in view.tools.items() if tool.bundle == bundle}
    return list({**own, **view.bundle_tools.get(bundle, {})}.values())


def tools_of(view: TenantView, bundle: str) -> str:
    """The tools that a grant for `bundle` covers as of now, as HTML."""
    found = covered_by(view, bundle)
    if not found:
        return '<p class="hint">The bundle has no tools now.</p>'
    # Those that do the most come first: they are what somebody decides about.
    found.sort(key=lambda tool: (tool.risk is not RiskLevel.PRIVILEGED, tool.name))
    items = "".join(_item(tool) for tool in found[:_MOST_TOOLS])
    rest = len(found) - _MOST_TOOLS
    more = f"<li>and {_counted(rest, 'other tool')}</li>" if rest > 0 else ""
    return (
        f'<ul class="plain">{items}{more}</ul>\n'
        '<p class="hint">Tools that come to the bundle later are covered, too.</p>'
    )


def arguments(masked: object) -> str:
    """Arguments as they may be shown, as HTML; nothing of what the page must not run."""
    if masked is None or masked == {}:
        return '<span class="muted">none</span>'
    text = json.dumps(masked, indent=2, ensure_ascii=False, default=str)
    left_out = len(text) - _MOST_CHARACTERS
    if left_out > 0:
        text = f"{text[:_MOST_CHARACTERS]}\n… and {left_out} more characters"
    remark = _HIDDEN if hides_something(text) else ""
    return f"<pre>{clean(text)}</pre>{remark}"


def history(counts: Mapping[str, int]) -> str:
    """How often somebody asked before, and what came of it."""
    told = [
        f"{counts[status]} {STATUSES[status]}" for status in ElevationStatus if counts.get(status)
    ]
    return ", ".join(told) if told else "never before"


def _item(tool: Tool) -> str:
    return f"<li><strong>{clean(tool.name)}</strong> {risk_tag(tool.risk)}</li>"


def _counted(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
