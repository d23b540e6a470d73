"""Query styles, encoded in a query string and as they are in parts."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.tool import ParameterLocation, RestParameter, RestPart
from bascule.upstreams.rest.queries import QUERY_STYLES, plain_pairs, query_writer
from bascule.upstreams.rest.values import Unwritable

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
KEYS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="[]"), max_size=5)
DELIMITERS = {"form": ",", "spaceDelimited": " ", "pipeDelimited": "|", "tabDelimited": "\t"}


def parsed(style: str, value: object, *, explode: bool, name: str = "x&y") -> list[tuple[str, str]]:
    """What a server reads that decodes first."""
    parameter = RestParameter("x", name, ParameterLocation.QUERY, style, explode)
    return parse_qsl(query_writer(parameter)(value) or "", keep_blank_values=True)


@given(st.sampled_from(sorted(QUERY_STYLES - {"deepObject"})), st.lists(TEXT))
def test_items_that_are_exploded_arrive_each(style: str, items: list[str]) -> None:
    assert parsed(style, items, explode=True) == [("x&y", one) for one in items]


@given(st.sampled_from(sorted(QUERY_STYLES - {"deepObject"})), st.dictionaries(TEXT, TEXT))
def test_members_that_are_exploded_arrive_under_their_names(
    style: str, members: dict[str, str]
) -> None:
    assert parsed(style, members, explode=True) == list(members.items())


@given(st.sampled_from(sorted(DELIMITERS)), st.lists(TEXT, min_size=1))
def test_items_that_are_joined_arrive_or_are_refused(style: str, items: list[str]) -> None:
    delimiter = DELIMITERS[style]
    parameter = RestParameter("x", "x", ParameterLocation.QUERY, style, explode=False)
    write = query_writer(parameter)
    if style != "form" and any(delimiter in one for one in items):
        with pytest.raises(Unwritable, match="within an item"):
            write(items)
        return
    text = (write(items) or "").removeprefix("x=")
    # A comma is told from what separates before decoding; the others cannot stand within items.
    read = text.split(",") if style == "form" else [text]
    decoded = [dict(parse_qsl(f"x={one}", keep_blank_values=True))["x"] for one in read]
    assert (decoded if style == "form" else decoded[0].split(delimiter)) == items


@given(st.dictionaries(KEYS, TEXT, min_size=1))
def test_a_deep_object_arrives_under_its_brackets(members: dict[str, str]) -> None:
    expected = [(f"x&y[{key}]", text) for key, text in members.items()]

    assert parsed("deepObject", members, explode=True) == expected


@given(st.sampled_from(sorted(QUERY_STYLES)), st.booleans(), TEXT | st.integers() | st.booleans())
def test_a_scalar_arrives_whatever_the_style(style: str, explode: bool, value: object) -> None:
    text = value if isinstance(value, str) else str(value).lower()

    assert parsed(style, value, explode=explode) == [("x&y", text)]


def test_nothing_is_encoded_in_parts() -> None:
    assert plain_pairs("a b", RestPart(style="form"))(["x&", "y,"]) == [("a b", "x&,y,")]
    assert plain_pairs("a", RestPart(style="form", explode=True))({"k&": "v="}) == [("k&", "v=")]
    assert plain_pairs("a", RestPart(style="deepObject"))({"k": [1, 2]}) == [
        ("a[k]", "1"),
        ("a[k]", "2"),
    ]
    assert plain_pairs("a", RestPart(style="pipeDelimited"))(["x", "y"]) == [("a", "x|y")]
    assert plain_pairs("a", RestPart(style="form"))(5) == [("a", "5")]
    assert plain_pairs("a", RestPart(style="form"))(None) == []
    assert plain_pairs("a", RestPart(style="form"))([]) == []


def test_a_style_that_there_is_not_is_a_lookup_error() -> None:
    with pytest.raises(LookupError):
        plain_pairs("a", RestPart(style="matrix"))
