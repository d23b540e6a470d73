"""Media types are chosen by what can be built from arguments."""

import pytest

from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.media import choose, kind_of, split_types, types_of, wire_type
from bascule.gateway.tool import BodyKind


@pytest.mark.parametrize(
    ("media_type", "kind"),
    [
        ("application/json", BodyKind.JSON),
        ("Application/JSON; charset=utf-8", BodyKind.JSON),
        ("application/problem+json", BodyKind.JSON),
        ("*/*", BodyKind.JSON),
        ("application/x-www-form-urlencoded", BodyKind.FORM),
        ("text/plain", BodyKind.TEXT),
        ("text/xml", BodyKind.TEXT),
        ("application/xml", BodyKind.TEXT),
        ("application/soap+xml", BodyKind.TEXT),
        ("application/yaml", BodyKind.TEXT),
        ("multipart/form-data", BodyKind.MULTIPART),
        ("multipart/related; type=text/html", BodyKind.MULTIPART),
        ("application/octet-stream", BodyKind.BYTES),
        ("image/*", BodyKind.BYTES),
        ("application/jsonl", BodyKind.LINES),
        ("application/geo+json-seq", BodyKind.LINES),
        ("", None),
        ("json", None),
        ("a/b\r\nX: y", None),
        ("a/b; c=" + "d" * 5000 + "\0", None),
    ],
)
def test_the_kind_is_read_from_the_essence(media_type: str, kind: BodyKind | None) -> None:
    assert kind_of(media_type) is kind


def test_the_kinds_are_preferred_in_the_order_asked_for() -> None:
    content = Node({"text/plain": {}, "application/json": {"schema": {}}}, ("content",))

    chosen = choose(content, BodyKind.JSON, BodyKind.TEXT)

    assert chosen is not None
    assert chosen[:2] == (BodyKind.JSON, "application/json")
    assert choose(content, BodyKind.FORM) is None
    assert choose(None, BodyKind.JSON) is None


def test_a_range_is_sent_as_json() -> None:
    assert wire_type("*/*") == "application/json"
    assert wire_type("application/vnd.api+json") == "application/vnd.api+json"
    assert wire_type("text/*") == "text/plain"
    assert wire_type("multipart/*") == "multipart/form-data"
    assert wire_type("image/*") == "image/*"


def test_a_list_of_media_types_is_split_and_what_is_none_left_out() -> None:
    listed = 'image/png, image/*;q="a,b" ,nonsense, text/css'

    assert split_types(listed) == ("image/png", 'image/*;q="a,b"', "text/css")
    assert split_types("") == ()


def test_all_of_a_kind_are_listed() -> None:
    content = Node({"image/png": {}, "application/json": {}, "image/*": {}}, ())

    assert list(types_of(content, BodyKind.BYTES)) == ["image/png", "image/*"]
    assert list(types_of(None, BodyKind.BYTES)) == []
