"""Names of tools as models know them: fit for every provider, one for each tool, and back."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bascule.chat.naming import ModelNames, model_name

names = st.text("ab0f_-.", min_size=1, max_size=128) | st.text(min_size=1, max_size=128)


@given(st.lists(names, unique=True, max_size=20))
@example(["a.b", "a--b", "a-b"])
@example(["a.-b", "a-.b", "a---b", "a..b"])
@example(["x" * 64, "x" * 65, "x" * 66])
def test_names_fit_differ_and_lead_back(tools: list[str]) -> None:
    told = ModelNames(tools)
    for tool in tools:
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", model_name(tool))
        assert told.tool(model_name(tool)) == tool


@given(names)
def test_no_tool_can_be_called_what_another_is_called(name: str) -> None:
    told = model_name(name)
    if told != name:
        assert model_name(told) != told


@pytest.mark.parametrize(
    ("name", "told"),
    [("book", "book"), ("booking.create", "booking--create"), ("a-b.c", "a-b--c")],
)
def test_plain_names_stay_readable(name: str, told: str) -> None:
    assert model_name(name) == told


def test_a_name_that_was_not_told_leads_nowhere() -> None:
    assert ModelNames(["book"]).tool("wipe") is None
