"""What the lists of `/elevations` look like."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from bascule.api.pages.elevation_views import HOME
from bascule.api.pages.elevation_words import (
    clean,
    duration,
    latest,
    shortened,
    status_tag,
)
from bascule.api.pages.forms import moment, notice
from bascule.api.pages.layout import escape, page
from bascule.gateway.elevation import ScopeKind
from bascule.policy.elevation import ElevationStatus
from bascule.storage.repositories.elevations import StoredElevation
from bascule.storage.repositories.page import Page

_KINDS: Final = {
    ScopeKind.CALL: "one call",
    ScopeKind.TOOL: "the tool",
    ScopeKind.BUNDLE: "the whole bundle",
}
_MOST_REASON: Final = 160
"""Characters of a reason in a list."""


class List(StrEnum):
    """The lists there are, by their name in the address."""

    MINE = "mine"
    WAITING = "waiting"
    ACTIVE = "active"
    HISTORY = "history"


TITLES: Final = {
    List.MINE: "Mine",
    List.WAITING: "To approve",
    List.ACTIVE: "Active",
    List.HISTORY: "History",
}
_EMPTY: Final = {
    List.MINE: (
        "You have not asked for anything yet. When a call of yours needs more than the rules let "
        "you do, your client shows you an address where you can ask, or you do it with "
        "`bascule elevation request`."
    ),
    List.WAITING: "Nobody waits for a decision.",
    List.ACTIVE: "Nobody may do more than the rules let them at the moment.",
    List.HISTORY: "Nobody has asked for anything yet.",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of one of the lists. `waiting` is how many requests there are to decide about."""

    name: List
    found: Page[StoredElevation]
    can_approve: bool
    waiting: int = 0
    said: str = ""


def list_page(listed: Listed) -> Response:
    """A list, with ways to the others."""
    items = listed.found.items
    parts = ["<h1>Elevation</h1>", _lead(), _ways(listed), notice(listed.said, "good")]
    if not items:
        parts.append(f'<p class="empty">{_code(_EMPTY[listed.name])}</p>')
    elif listed.name is List.MINE:
        parts += _groups(items)
    else:
        parts.append(_cards(items))
    parts += [_pages(listed), '<p class="hint"><a href="/account">Your account</a></p>']
    return page("Elevation", "\n".join(parts))


def _lead() -> str:
    return (
        '<p class="muted">Leave to do what needs more than a rule: given by a person, for a while.'
        "</p>"
    )


def _ways(listed: Listed) -> str:
    if not listed.can_approve:
        return ""
    links = "\n".join(_way(one, listed) for one in List)
    return f'<nav class="tabs" aria-label="Lists">{links}</nav>'


def _way(name: List, listed: Listed) -> str:
    here = ' aria-current="page"' if name is listed.name else ""
    count = f' <span class="tag">{listed.waiting}</span>' if name is List.WAITING else ""
    return f'<a href="{HOME}?{urlencode({"list": name})}"{here}>{TITLES[name]}{count}</a>'


def _groups(items: Sequence[StoredElevation]) -> list[str]:
    """One's own, those first that something can be done with."""
    kinds: list[tuple[str, Callable[[ElevationStatus], bool]]] = [
        ("Active", lambda status: status is ElevationStatus.APPROVED),
        ("Waiting", lambda status: status is ElevationStatus.PENDING),
        ("Before", lambda status: status not in _OPEN),
    ]
    parts: list[str] = []
    for title, belongs in kinds:
        found = [one for one in items if belongs(one.status)]
        if found:
            parts += [f"<h2>{title}</h2>", _cards(found)]
    return parts


_OPEN: Final = (ElevationStatus.APPROVED, ElevationStatus.PENDING)


def _cards(items: Sequence[StoredElevation]) -> str:
    return '<ul class="cards">\n' + "\n".join(_card(one) for one in items) + "\n</ul>"


def _card(one: StoredElevation) -> str:
    facts = [clean(one.holder.subject), _KINDS[one.scope.kind], duration(one.minutes)]
    facts.append(moment(latest(one)))
    return (
        f'<li><div class="head"><a href="{HOME}/{one.id}">{clean(one.scope.name)}</a> '
        f'{status_tag(one.status)}</div>\n<p class="hint">{" · ".join(facts)}</p>\n'
        f"<p>{shortened(one.reason, _MOST_REASON)}</p></li>"
    )


def _pages(listed: Listed) -> str:
    found = listed.found
    last = max(1, -(-found.total // found.limit))
    if last == 1:
        return ""
    links: list[str] = []
    for number, text in ((found.page - 1, "Newer"), (found.page + 1, "Older")):
        if 1 <= number <= last:
            query = urlencode({"list": listed.name, "page": number})
            links.append(f'<a class="button quiet" href="{HOME}?{escape(query)}">{text}</a>')
    return f'<p class="hint">Page {found.page} of {last}</p><p class="actions">{"".join(links)}</p>'


def _code(text: str) -> str:
    """Text with commands between backquotes, as HTML."""
    parts = escape(text).split("`")
    return "".join(f"<code>{one}</code>" if index % 2 else one for index, one in enumerate(parts))
