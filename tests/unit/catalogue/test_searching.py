"""Finding tools by words."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.catalogue.searching import ToolIndex, words_of
from bascule.gateway.tool import Tool
from fakes.catalogue import make_tool
from fakes.relayed import make_relayed


def tool(name: str, description: str = "", *, tags: tuple[str, ...] = (), **properties: object):
    schema = {"type": "object", "properties": properties}
    made = make_tool(name, input_schema=schema)
    return replace(made, description=description, tags=tags)


TOOLS = {
    one.name: one
    for one in (
        tool("issues_create", "Create an issue in a repository."),
        tool("issues_create-comment", "Add a comment to an issue."),
        tool("issues_list", "List issues of a repository."),
        tool("pulls_merge", "Merge a pull request.", sha={}),
        tool("deleteBranchProtection", "Take the protection of a branch away.", tags=("safety",)),
        tool("payments", "Anything about paying, with a currency.", currency={}),
    )
}


def found(question: str, limit: int = 3, among: dict[str, Tool] | None = None) -> list[str]:
    hits = ToolIndex(TOOLS.values()).search(question, among or TOOLS, limit)
    return [hit.tool.name for hit in hits]


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("create an issue", "issues_create"),
        ("add a comment to an issue", "issues_create-comment"),
        ("list the issues", "issues_list"),
        ("show me all issues", "issues_list"),
        ("merging pull requests", "pulls_merge"),
        ("remove branch protection", "deleteBranchProtection"),
        ("safety", "deleteBranchProtection"),
        ("currency", "payments"),
        ("pulls_merge", "pulls_merge"),
    ],
)
def test_what_is_meant_comes_first(question: str, first: str) -> None:
    assert found(question)[0] == first


def test_what_shares_no_word_is_not_found() -> None:
    assert found("weather in Pune") == []
    assert found("the of and") == []
    assert found("") == []


def test_only_what_its_reader_sees_is_found() -> None:
    rest = {name: one for name, one in TOOLS.items() if name != "issues_create"}
    assert "issues_create" not in found("create an issue", 10, rest)
    renamed = {"issues_create": TOOLS["pulls_merge"]}
    assert found("create an issue", 10, renamed) == []


def test_a_limit_holds() -> None:
    assert len(found("issue", 2)) == 2


def test_a_server_s_own_name_counts_where_the_tool_is_renamed() -> None:
    relayed = make_relayed("weather", front="alpha_w")
    index = ToolIndex([relayed])
    assert [hit.tool for hit in index.search("weather", {"alpha_w": relayed}, 1)] == [relayed]


def test_an_empty_catalogue_has_nothing() -> None:
    assert ToolIndex([]).search("issue", {}, 5) == []


def test_words_are_taken_from_identifiers_as_from_sentences() -> None:
    assert words_of("getHTTPUsers_by-id2") == ["get", "http", "user", "by", "id", "2"]
    assert words_of("categories, statuses, passing addresses") == [
        "category", "statuse", "pass", "address",
    ]  # fmt: skip
    assert words_of("街道 Straße") == ["街道", "stra", "ß", "e"]


@given(st.text(max_size=200), st.integers(1, 10))
def test_any_question_is_answered_in_order_and_within_bounds(question: str, limit: int) -> None:
    hits = ToolIndex(TOOLS.values()).search(question, TOOLS, limit)
    assert len(hits) <= limit
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
