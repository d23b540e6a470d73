"""What a model is told of a call is data between marks that it cannot forge, and bounded."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bascule.chat.parts import CallPart, CallState
from bascule.chat.results import bounded, told

CALL = CallPart("c", "a.b", {"n": 1}, CallState.DONE)


def text(content: str) -> list[dict[str, object]]:
    return [{"type": "text", "text": content}]


@given(st.text(max_size=300))
def test_what_a_tool_says_stands_between_marks_and_is_bounded(content: str) -> None:
    returned = told(replace(CALL, content=text(content)), 100)
    first, *_, last = returned.text.splitlines()
    assert last == f"{first[:-1]} ends]"
    assert first not in content
    assert len(returned.text) < 250
    assert not returned.is_error
    assert returned.name == "a--b"


def test_structured_content_is_told_where_there_is_no_text() -> None:
    assert '{"n":1}' in told(replace(CALL, structured={"n": 1}), 100).text


def test_other_content_is_named() -> None:
    blocks = [
        {"type": "image", "data": "AAAA"},
        {"type": "resource_link", "uri": "file:///a"},
        {"type": "resource", "resource": {"text": "inside"}},
    ]
    returned = told(replace(CALL, content=blocks), 500).text
    assert "AAAA" not in returned
    assert "file:///a" in returned
    assert "inside" in returned


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"state": CallState.FAILED, "error": "No such slot."}, "No such slot."),
        ({"state": CallState.FAILED}, "failure"),
        (
            {"state": CallState.DENIED, "decided": "deny", "reason": "no"},
            "refused this call. Their",
        ),
        ({"state": CallState.DENIED, "decided": "expired"}, "in time"),
        ({"state": CallState.DENIED, "error": "Not by this rule."}, "Not by this rule."),
        ({"state": CallState.CANCELLED}, "cancelled"),
        ({"state": CallState.UNKNOWN}, "not known"),
        ({"state": CallState.NEEDS_APPROVAL}, "not made"),
    ],
)
def test_all_but_a_result_is_an_error_in_our_words(change: dict[str, object], words: str) -> None:
    returned = told(replace(CALL, **change), 100)
    assert returned.is_error
    assert words in returned.text


@given(st.text(max_size=2_000), st.integers(600, 2_000))
def test_a_result_is_kept_within_its_bound(content: str, most: int) -> None:
    kept = bounded(text(content), {"text": content}, most)
    assert len(msgspec.json.encode(kept)) <= most
