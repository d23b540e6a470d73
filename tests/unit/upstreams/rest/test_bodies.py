"""Bodies are built from arguments."""

import json
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.tool import RestBody
from bascule.upstreams.rest.bodies import plan_body
from bascule.upstreams.rest.failures import UnsupportedMedia
from bascule.upstreams.rest.values import Unwritable

FORM = "application/x-www-form-urlencoded"
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def test_members_go_by_their_wire_names_and_null_is_a_value() -> None:
    plan = plan_body(RestBody("application/json", {"id__body": "id", "n": "n", "o": "o"}))

    assert plan.content_type == "application/json"
    assert plan.write({"id__body": 1, "n": None, "other": 2}) == b'{"id":1,"n":null}'


def test_a_body_without_members_is_sent_only_where_it_is_required() -> None:
    assert plan_body(RestBody("application/json", {"a": "a"})).write({}) is None
    assert plan_body(RestBody("application/json", {"a": "a"}, required=True)).write({}) == b"{}"


def test_a_whole_body_is_one_argument() -> None:
    plan = plan_body(RestBody("application/merge-patch+json", argument="body"))

    assert plan.content_type == "application/merge-patch+json"
    assert plan.write({"body": [1, {"a": "ü"}]}) == '[1,{"a":"ü"}]'.encode()
    assert plan.write({}) is None


@pytest.mark.parametrize("media_type", ["application/json", "text/plain"])
def test_a_required_whole_body_must_be_given(media_type: str) -> None:
    plan = plan_body(RestBody(media_type, argument="body", required=True))

    with pytest.raises(Unwritable, match="required"):
        plan.write({})


def test_text_is_sent_as_utf8_and_says_so() -> None:
    plan = plan_body(RestBody("text/markdown", argument="body"))

    assert plan.content_type == "text/markdown; charset=utf-8"
    assert plan.write({"body": "ü"}) == "ü".encode()
    assert plan.write({"body": None}) is None


@given(st.dictionaries(st.sampled_from("abc"), TEXT | st.lists(TEXT, max_size=3)))
def test_a_form_decodes_to_the_arguments(arguments: dict[str, object]) -> None:
    plan = plan_body(RestBody(FORM, {"a": "a&x", "b": "b", "c": "c"}, required=True))
    written = plan.write(arguments)
    assert written is not None

    expected: list[tuple[str, str]] = []
    for name, wire in (("a", "a&x"), ("b", "b"), ("c", "c")):
        value = arguments.get(name, [])
        expected += [(wire, one) for one in (value if isinstance(value, list) else [value])]
    assert parse_qsl(written.decode(), keep_blank_values=True) == expected


def test_an_object_in_a_form_is_json_and_null_is_left_out() -> None:
    plan = plan_body(RestBody(FORM, {"a": "a", "b": "b"}))
    written = plan.write({"a": {"k": [1]}, "b": None})

    assert written is not None
    assert json.loads(dict(parse_qsl(written.decode()))["a"]) == {"k": [1]}
    assert plan.write({"b": None}) is None


@pytest.mark.parametrize(
    "body",
    [
        RestBody("multipart/form-data", {"a": "a"}),
        RestBody("application/octet-stream", argument="body"),
        RestBody(FORM, argument="body"),
        RestBody("text/plain", {"a": "a"}),
        RestBody("", {"a": "a"}),
    ],
)
def test_other_media_types_are_refused_by_name(body: RestBody) -> None:
    with pytest.raises(UnsupportedMedia):
        plan_body(body)
