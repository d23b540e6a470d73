"""Bodies are built from arguments."""

import json
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.tool import BodyKind, RestBody, RestPart
from bascule.upstreams.rest.bodies import plan_body
from bascule.upstreams.rest.failures import UnsupportedMedia, UnusableOperation
from bascule.upstreams.rest.values import Unwritable

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def test_members_go_by_their_wire_names_and_null_is_a_value() -> None:
    write = plan_body(RestBody(JSON, {"id__body": "id", "n": "n", "o": "o"}))

    assert write({"id__body": 1, "n": None, "other": 2}) == (JSON, b'{"id":1,"n":null}')


def test_a_body_without_members_is_sent_only_where_it_is_required() -> None:
    assert plan_body(RestBody(JSON, {"a": "a"}))({}) is None
    assert plan_body(RestBody(JSON, {"a": "a"}, required=True))({}) == (JSON, b"{}")


def test_a_whole_body_is_one_argument() -> None:
    write = plan_body(RestBody("application/merge-patch+json", argument="body"))

    assert write({"body": [1, {"a": "ü", "n": 2**70}]}) == (
        "application/merge-patch+json",
        '[1,{"a":"ü","n":1180591620717411303424}]'.encode(),
    )
    assert write({"body": None}) == ("application/merge-patch+json", b"null")
    assert write({}) is None


@pytest.mark.parametrize("media_type", [JSON, "text/plain", FORM])
def test_a_required_whole_body_must_be_given(media_type: str) -> None:
    write = plan_body(RestBody(media_type, argument="body", required=True))

    with pytest.raises(Unwritable, match="required"):
        write({})


@pytest.mark.parametrize(
    ("media_type", "sent", "content"),
    [
        ("text/markdown", "text/markdown; charset=utf-8", "ü€".encode()),
        ("text/plain; charset=utf-8", "text/plain; charset=utf-8", "ü€".encode()),
        ("text/plain; Charset = UTF-8", "text/plain; Charset = UTF-8", "ü€".encode()),
        ("text/csv;header=present", "text/csv;header=present; charset=utf-8", "ü€".encode()),
        ("text/plain; charset=windows-1252", "text/plain; charset=windows-1252", b"\xfc\x80"),
        ("application/xml", "application/xml; charset=utf-8", "ü€".encode()),
        ("application/soap+xml", "application/soap+xml; charset=utf-8", "ü€".encode()),
        ("application/graphql", "application/graphql", "ü€".encode()),
    ],
)
def test_text_is_sent_in_its_charset_and_says_so(
    media_type: str, sent: str, content: bytes
) -> None:
    write = plan_body(RestBody(media_type, argument="body", kind=BodyKind.TEXT))

    assert write({"body": "ü€"}) == (sent, content)
    assert write({"body": None}) is None


def test_text_that_its_charset_has_not_is_refused() -> None:
    write = plan_body(RestBody("text/plain; charset=iso-8859-1", argument="body"))

    with pytest.raises(Unwritable, match="latin-1"):
        write({"body": "€"})


@given(st.dictionaries(st.sampled_from("abc"), TEXT | st.lists(TEXT, max_size=3)))
def test_a_form_decodes_to_the_arguments(arguments: dict[str, object]) -> None:
    write = plan_body(RestBody(FORM, {"a": "a&x", "b": "b", "c": "c"}, required=True))
    written = write(arguments)
    assert written is not None

    expected: list[tuple[str, str]] = []
    for name, wire in (("a", "a&x"), ("b", "b"), ("c", "c")):
        value = arguments.get(name, [])
        expected += [(wire, one) for one in (value if isinstance(value, list) else [value])]
    assert written[0] == FORM
    assert parse_qsl(written[1].decode(), keep_blank_values=True) == expected


def test_an_object_in_a_form_is_json_and_null_is_left_out() -> None:
    write = plan_body(RestBody(FORM, {"a": "a", "b": "b"}))
    written = write({"a": {"k": [1]}, "b": None})

    assert written is not None
    assert json.loads(dict(parse_qsl(written[1].decode()))["a"]) == {"k": [1]}
    assert write({"b": None}) is None


def test_a_form_may_be_one_argument() -> None:
    body = RestBody(FORM, argument="body", parts={"t": RestPart(style="form")})

    assert plan_body(body)({"body": {"t": ["1", "2"], "x": "y"}}) == (FORM, b"t=1,2&x=y")


def test_lines_are_json_texts() -> None:
    items = [{"a": 1}, "é", None]
    lines = plan_body(RestBody("application/jsonl", argument="body", kind=BodyKind.LINES))
    records = plan_body(RestBody("application/json-seq", argument="body", kind=BodyKind.LINES))

    assert lines({"body": items}) == (
        "application/jsonl",
        '{"a":1}\n"é"\nnull\n'.encode(),
    )
    assert records({"body": [1]}) == ("application/json-seq", b"\x1e1\n")
    with pytest.raises(Unwritable, match="array"):
        lines({"body": {"a": 1}})


def test_bytes_are_the_content_of_a_file() -> None:
    types = ("image/jpeg", "image/png")
    body = RestBody(types[0], argument="body", kind=BodyKind.BYTES, content_types=types)
    write = plan_body(body)

    assert write({"body": {"data": "AAH/"}}) == ("image/jpeg", b"\x00\x01\xff")
    assert write({"body": {"data": "", "content_type": "image/png"}}) == ("image/png", b"")
    with pytest.raises(Unwritable, match="one of image/jpeg, image/png"):
        write({"body": {"data": "", "content_type": "text/html"}})


def test_parts_are_built_too() -> None:
    written = plan_body(RestBody("multipart/form-data", {"a": "a"}, kind=BodyKind.MULTIPART))(
        {"a": "x"}
    )

    assert written is not None
    assert written[0].startswith("multipart/form-data; boundary=")


@pytest.mark.parametrize(
    "body",
    [
        RestBody("multipart/form-data", {"a": "a"}),
        RestBody("application/octet-stream", argument="body"),
        RestBody("text/plain", {"a": "a"}),
        RestBody("", {"a": "a"}),
    ],
)
def test_a_body_of_unknown_kind_is_refused_by_name(body: RestBody) -> None:
    with pytest.raises(UnsupportedMedia):
        plan_body(body)


@pytest.mark.parametrize(
    "body",
    [
        RestBody(FORM, {"a": "a"}, parts={"a": RestPart(style="matrix")}),
        RestBody("application/json\r\nX: y", {"a": "a"}, kind=BodyKind.JSON),
        RestBody("multipart/x", kind=BodyKind.MULTIPART, rest=RestPart(("a/b\r\nX: y",))),
        RestBody(
            "multipart/x",
            kind=BodyKind.MULTIPART,
            items=(RestPart(parts={"a": RestPart(transfer_encoding="é")}),),
        ),
    ],
)
def test_a_body_that_breaks_a_rule_makes_the_operation_unusable(body: RestBody) -> None:
    with pytest.raises(UnusableOperation):
        plan_body(body)
