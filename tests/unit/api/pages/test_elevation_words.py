"""Elevation as people read it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bascule.api.pages.elevation_words import (
    STATUSES,
    arguments,
    clean,
    comment_of,
    covers,
    duration,
    history,
    latest,
    rows,
    sentence,
    shortened,
    status_tag,
    tool_rows,
    tools_of,
)
from bascule.gateway.elevation import Scope, ScopeKind
from bascule.gateway.snapshot import TenantView
from bascule.gateway.tool import RestSource, RiskLevel, Tool
from bascule.policy.elevation import ElevationStatus, Holder
from bascule.storage.repositories.elevations import StoredElevation

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
REQUEST = StoredElevation(
    id=uuid4(),
    status=ElevationStatus.PENDING,
    holder=Holder("user|1", "ann", "1"),
    asked_by="ann",
    asked_owner="user|1",
    scope=Scope(ScopeKind.CALL, "refund", "9f"),
    asked_scope="call:refund:9f",
    tool="refund",
    bundle="shop",
    digest="9f",
    arguments={"order": 7},
    reason="A customer paid twice.",
    ticket="",
    minutes=30,
    asked_minutes=30,
    requested_at=NOW,
    void_at=NOW + timedelta(days=1),
    decided_by="",
    decided_at=None,
    comment="",
    reference="",
    expires_at=None,
    ended_by="",
    ended_at=None,
    end_comment="",
)
DECIDED = replace(
    REQUEST, decided_by="bob", decided_at=NOW, expires_at=NOW + timedelta(hours=1), comment="Once."
)
ENDED = replace(DECIDED, ended_by="eve", ended_at=NOW + timedelta(minutes=9), end_comment="Done.")
anything = some.recursive(
    some.none() | some.booleans() | some.floats() | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=5,
)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)


def tags_in(html: str) -> set[str]:
    reader = _Tags()
    reader.feed(html)
    return reader.seen


def tool(name: str, risk: RiskLevel = RiskLevel.READ, **more: str) -> Tool:
    usual = {"description": "Does it.", "bundle": "shop", **more}
    return Tool(
        name, source=RestSource("api", "GET", "/"), input_schema={"type": "object"}, risk=risk,
        **usual,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (1, "1 minute"), (90, "90 minutes"), (60, "1 hour"), (480, "8 hours"), (1440, "1 day"),
        (2880, "2 days"), (1500, "25 hours"),
    ],
)  # fmt: skip
def test_a_time_is_said_in_the_largest_whole_unit(minutes: int, words: str) -> None:
    assert duration(minutes) == words


@pytest.mark.parametrize(
    ("one", "status", "words"),
    [
        (REQUEST, ElevationStatus.PENDING, "It is void on <time"),
        (DECIDED, ElevationStatus.APPROVED, "Approved by bob, until <time"),
        (ENDED, ElevationStatus.USED, "and used on <time"),
        (DECIDED, ElevationStatus.DENIED, "Denied by bob on <time"),
        (ENDED, ElevationStatus.CANCELLED, "Cancelled by eve on <time"),
        (ENDED, ElevationStatus.REVOKED, "Revoked by eve on <time"),
        (DECIDED, ElevationStatus.EXPIRED, "Approved by bob; over since <time"),
        (REQUEST, ElevationStatus.EXPIRED, "Nobody decided before <time"),
    ],
)
def test_how_a_request_stands_is_one_sentence(
    one: StoredElevation, status: ElevationStatus, words: str
) -> None:
    assert words in sentence(replace(one, status=status))


def test_every_status_has_a_word() -> None:
    assert set(STATUSES) == set(ElevationStatus)
    for status in ElevationStatus:
        assert STATUSES[status] in status_tag(status)


def test_the_last_words_and_the_last_moment_are_those_that_count() -> None:
    assert (comment_of(REQUEST), comment_of(DECIDED), comment_of(ENDED)) == ("", "Once.", "Done.")
    assert (latest(REQUEST), latest(DECIDED)) == (NOW, NOW)
    assert latest(ENDED) == NOW + timedelta(minutes=9)


def test_each_scope_says_how_much_it_covers() -> None:
    assert "one call of" in covers(REQUEST)
    assert "any arguments" in covers(replace(REQUEST, scope=Scope(ScopeKind.TOOL, "refund")))
    assert "every tool" in covers(replace(REQUEST, scope=Scope(ScopeKind.BUNDLE, "shop")))


@given(some.text())
def test_no_foreign_text_becomes_markup_or_is_hidden(text: str) -> None:
    for html in (clean(text), shortened(text, 10)):
        assert tags_in(f"<p>{html}</p>") == {"p"}
        assert not {"\u202e", "\u200b", "\x00"} & set(html)


@given(anything)
def test_whatever_the_arguments_are_they_are_shown_as_text(masked: object) -> None:
    assert tags_in(arguments(masked)) <= {"pre", "p", "span"}


def test_arguments_that_hide_something_are_said_to() -> None:
    assert "nobody can see" in arguments({"note": "pay \u202eeve"})
    assert "nobody can see" not in arguments({"note": "pay eve"})
    assert "none" in arguments({})


def test_very_long_arguments_are_cut_with_a_word() -> None:
    shown = arguments({"note": "x" * 50_000})
    assert len(shown) < 7000
    assert "more characters" in shown


def test_a_tool_is_described_and_one_that_is_gone_is_said_to_be() -> None:
    view = TenantView("default", tools={"refund": tool("refund", title="Pay back")})
    told = rows(tool_rows(view, "refund", "shop"))
    for text in ("Pay back", "(refund)", "Does it.", "only reads", "shop"):
        assert text in told
    assert "no such tool any more" in rows(tool_rows(view, "other", "shop"))


def test_a_bundle_lists_its_tools_the_riskiest_first_and_not_without_end() -> None:
    tools = {f"a{n}": tool(f"a{n}") for n in range(40)}
    tools["z"] = tool("z", RiskLevel.PRIVILEGED)
    tools["elsewhere"] = tool("elsewhere", bundle="desk")
    listed = tools_of(TenantView("default", tools=tools), "shop")
    assert listed.index(">z<") < listed.index(">a0<")
    assert "and 11 other tools" in listed
    assert "elsewhere" not in listed
    assert "no tools" in tools_of(TenantView("default"), "shop")


def test_a_bundle_lists_what_it_shows_of_others_as_well() -> None:
    """A grant for it covers that: who approves must not be told that there is nothing in it."""
    lent = tool("wipe", RiskLevel.PRIVILEGED, bundle="desk")
    view = TenantView(
        "default",
        tools={"wipe": lent, "a": tool("a")},
        bundle_tools={"shop": {"clean": replace(lent, name="clean", bundle="shop")}},
    )
    listed = tools_of(view, "shop")
    assert listed.index(">clean<") < listed.index(">a<")
    assert "no tools" not in tools_of(replace(view, tools={}), "shop")


def test_a_history_is_counted_by_outcome() -> None:
    assert history({}) == "never before"
    assert history({"denied": 2, "used": 1, "pending": 0}) == "1 used up, 2 denied"


def test_rows_without_a_value_are_left_out() -> None:
    assert rows([("a", "1"), ("b", "")]) == "<dl><dt>a</dt><dd>1</dd></dl>"
