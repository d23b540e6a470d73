"""Media types are chosen by what can be built from arguments."""

import pytest

from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.media import MediaKind, choose, kind_of, wire_type


@pytest.mark.parametrize(
    ("media_type", "kind"),
    [
        ("application/json", MediaKind.JSON),
        ("Application/JSON; charset=utf-8", MediaKind.JSON),
        ("application/problem+json", MediaKind.JSON),
        ("*/*", MediaKind.JSON),
        ("application/x-www-form-urlencoded", MediaKind.FORM),
        ("text/plain", MediaKind.TEXT),
        ("multipart/form-data", None),
        ("application/octet-stream", None),
        ("application/jsonl", None),
        ("", None),
    ],
)
def test_the_kind_is_read_from_the_essence(media_type: str, kind: MediaKind | None) -> None:
    assert kind_of(media_type) is kind


def test_the_kinds_are_preferred_in_the_order_asked_for() -> None:
    content = Node({"text/plain": {}, "application/json": {"schema": {}}}, ("content",))

    chosen = choose(content, MediaKind.JSON, MediaKind.TEXT)

    assert chosen is not None
    assert chosen[:2] == (MediaKind.JSON, "application/json")
    assert choose(content, MediaKind.FORM) is None
    assert choose(None, MediaKind.JSON) is None


def test_a_range_is_sent_as_json() -> None:
    assert wire_type("*/*") == "application/json"
    assert wire_type("application/vnd.api+json") == "application/vnd.api+json"
