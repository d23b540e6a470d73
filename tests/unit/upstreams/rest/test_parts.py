"""Values become parts as their encoding says, or as their own type asks for."""

import pytest

from bascule.gateway.tool import RestBody, RestPart
from bascule.upstreams.rest.multipart import Part
from bascule.upstreams.rest.parts import (
    blamed,
    named_parts,
    parts_of_array,
    parts_of_object,
    unnamed_part,
)
from bascule.upstreams.rest.values import Unwritable


def shown(parts: list[Part]) -> list[tuple[str, bytes]]:
    """Each part as one line of headers, and its content."""
    lines = [" | ".join(f"{name}: {value}" for name, value in one.headers) for one in parts]
    return [(line, one.content) for line, one in zip(lines, parts, strict=True)]


def named(value: object, part: RestPart | None = None) -> list[tuple[str, bytes]]:
    return shown(list(named_parts("n", part or RestPart(), value)))


DISPOSITION = 'Content-Disposition: form-data; name="n"'


@pytest.mark.parametrize(
    ("value", "part", "rest", "contents"),
    [
        ("é", RestPart(), "", ["é"]),
        (5.0, RestPart(), "", ["5"]),
        (None, RestPart(), "", []),
        ([1, None, True], RestPart(), "", ["1", "true"]),
        ({"a": "é"}, RestPart(), " | Content-Type: application/json", ['{"a":"é"}']),
        ([[1]], RestPart(), " | Content-Type: application/json", ["[1]"]),
        ("x", RestPart(("a/json",)), " | Content-Type: a/json", ['"x"']),
        ("<a/>", RestPart(("text/xml",)), " | Content-Type: text/xml", ["<a/>"]),
        (
            "AA==",
            RestPart(("image/png",), transfer_encoding="base64"),
            " | Content-Type: image/png | Content-Transfer-Encoding: base64",
            ["AA=="],
        ),
        (
            {"data": "eA=="},
            RestPart(("image/png",), is_file=True),
            '; filename="n" | Content-Type: image/png',
            ["x"],
        ),
        (["a", "b"], RestPart(style="form"), "", ["a,b"]),
    ],
)
def test_a_value_becomes_parts_of_its_name(
    value: object, part: RestPart, rest: str, contents: list[str]
) -> None:
    assert named(value, part) == [(DISPOSITION + rest, one.encode()) for one in contents]


def test_headers_come_with_each_part() -> None:
    (part,) = named_parts("n", RestPart(), "x", [("X-A", "1")])

    assert part.headers[-1] == ("X-A", "1")


def test_a_part_without_a_name_says_what_it_is() -> None:
    parts = [
        unnamed_part(RestPart(), "x"),
        unnamed_part(RestPart(), {"a": 1}),
        unnamed_part(RestPart(is_file=True), {"data": "AA==", "filename": "a.bin"}),
        unnamed_part(RestPart(is_file=True), {"data": "AA=="}),
    ]

    octets = "Content-Type: application/octet-stream"
    attached = f'Content-Disposition: attachment; filename="a.bin" | {octets}'
    assert shown(parts) == [
        ("Content-Type: text/plain; charset=utf-8", b"x"),
        ("Content-Type: application/json", b'{"a":1}'),
        (attached, b"\0"),
        (octets, b"\0"),
    ]


def test_the_first_items_have_parts_of_their_own_and_the_rest_share_one() -> None:
    body = RestBody(
        "multipart/mixed",
        items=(RestPart(("application/json",)),),
        rest=RestPart(("text/css",)),
    )

    parts = list(parts_of_array(["a", "b", "c"], body))

    assert [one.headers[0][1] for one in parts] == ["application/json", "text/css", "text/css"]


def test_a_part_may_hold_parts() -> None:
    of_array = RestPart(("multipart/mixed",), items=(RestPart(("text/html",)),))
    of_object = RestPart(("multipart/form-data",), parts={"a": RestPart(("text/html",))})

    (outer,) = named_parts("n", of_object, {"a": "x"})
    inner = unnamed_part(of_array, ["<p/>", "y"])

    assert outer.headers[1][1].startswith("multipart/form-data; boundary=")
    assert b'form-data; name="a"\r\nContent-Type: text/html\r\n\r\nx' in outer.content
    assert b"Content-Type: text/html\r\n\r\n<p/>" in inner.content


@pytest.mark.parametrize(
    ("value", "part"),
    [({"a": 1}, RestPart(("text/xml",))), ([[1]], RestPart(("image/png",)))],
)
def test_what_has_to_be_text_is_no_object(value: object, part: RestPart) -> None:
    with pytest.raises(Unwritable, match="must be text"):
        named(value, part)


def test_only_objects_have_named_parts_and_only_arrays_ordered_ones() -> None:
    with pytest.raises(Unwritable, match="object"):
        list(parts_of_object([1], {}))
    with pytest.raises(Unwritable, match="array"):
        list(parts_of_array({"a": 1}, RestBody("multipart/mixed")))


def test_whose_value_cannot_be_written_is_named() -> None:
    with pytest.raises(Unwritable) as caught:
        list(parts_of_object({"a": "x", "b": "\ud800"}, {}))
    assert caught.value.argument == "b"

    with pytest.raises(Unwritable) as caught:
        list(blamed("arg", named_parts("n", RestPart(), "\ud800")))
    assert caught.value.argument == "arg"
