"""Multipart bodies are built from arguments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.tool import BodyKind, PartHeader, RestBody, RestPart
from bascule.upstreams.rest.failures import UnusableOperation
from bascule.upstreams.rest.uploads import plan_upload
from bascule.upstreams.rest.values import Unwritable
from unit.upstreams.rest.test_multipart import parse

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def make(media_type: str = "multipart/form-data", **fields: object) -> RestBody:
    return RestBody(media_type, kind=BodyKind.MULTIPART, **fields)  # type: ignore[arg-type]


def written(body: RestBody, arguments: dict[str, object]) -> tuple[str, list[tuple[str, bytes]]]:
    """Media type, and the headers of each part in one line with its content."""
    result = plan_upload(body)(arguments)
    assert result is not None
    media_type, _, boundary = result[0].partition("; boundary=")
    parts = parse(result[1], boundary)
    return media_type, [
        (" | ".join(f"{n.decode()}: {v.decode()}" for n, v in headers), content)
        for headers, content in parts
    ]


@given(st.dictionaries(st.sampled_from("abc"), TEXT | st.lists(TEXT, max_size=3), min_size=1))
def test_what_is_sent_parses_back(arguments: dict[str, object]) -> None:
    body = make(properties={name: name for name in "abc"}, required=True)
    expected = [
        (f'Content-Disposition: form-data; name="{name}"', one.encode())
        for name in "abc"
        if name in arguments
        for value in (arguments[name],)
        for one in (value if isinstance(value, list) else [value])
    ]
    if expected:
        assert written(body, arguments) == ("multipart/form-data", expected)


def test_arguments_go_by_their_names_upstream_in_the_order_of_the_document() -> None:
    body = make(
        "multipart/related; type=x",
        properties={"a": "a", "id__body": "id"},
        order=("id", "a"),
    )

    media_type, parts = written(body, {"a": "1", "id__body": "2"})

    assert media_type == "multipart/related; type=x"
    assert [content for _, content in parts] == [b"2", b"1"]


def test_a_header_of_a_part_is_an_argument() -> None:
    body = make(
        properties={"f": "f", "f__X-Rate": "f__X-Rate"},
        parts={"f": RestPart(is_file=True, headers=(PartHeader("X-Rate", "f__X-Rate"),))},
    )

    _, ((headers, _),) = written(body, {"f": {"text": "x"}, "f__X-Rate": [1, 2]})
    assert headers.endswith(" | X-Rate: 1,2")
    _, ((headers, _),) = written(body, {"f": {"text": "x"}})
    assert "X-Rate" not in headers


def test_a_header_of_a_part_never_breaks_its_line() -> None:
    body = make(
        properties={"f": "f", "h": "f__X"},
        parts={"f": RestPart(headers=(PartHeader("X", "f__X"),))},
    )

    with pytest.raises(Unwritable, match="printable ASCII") as caught:
        plan_upload(body)({"f": "x", "h": "a\r\nb"})
    assert caught.value.argument == "h"


@pytest.mark.parametrize("name", ["Content-Type", "content-disposition", "a b", "a\r\nb"])
def test_a_header_that_a_part_cannot_have_makes_the_operation_unusable(name: str) -> None:
    body = make(
        properties={"f": "f", "h": "h"}, parts={"f": RestPart(headers=(PartHeader(name, "h"),))}
    )

    with pytest.raises(UnusableOperation):
        plan_upload(body)


def test_a_header_nobody_gives_is_left_out() -> None:
    body = make(properties={"f": "f"}, parts={"f": RestPart(headers=(PartHeader("X", "gone"),))})

    assert len(written(body, {"f": "x"})[1]) == 1


def test_an_optional_body_of_nothing_is_not_sent() -> None:
    assert plan_upload(make(properties={"a": "a"}))({}) is None
    required = plan_upload(make(properties={"a": "a"}, required=True))({})
    assert required is not None
    assert required[1].endswith(b"--\r\n")


def test_a_whole_body_is_an_object_or_an_array() -> None:
    body = make("multipart/mixed", argument="body", parts={"f": RestPart(is_file=True)})

    assert written(body, {"body": {"f": {"text": "x"}}})[1][0][1] == b"x"
    assert written(body, {"body": ["x"]})[1] == [("Content-Type: text/plain; charset=utf-8", b"x")]
    with pytest.raises(Unwritable):
        plan_upload(body)({"body": 5})


def test_a_range_of_media_types_is_a_form() -> None:
    assert written(make("multipart/*", properties={"a": "a"}), {"a": "1"})[0] == (
        "multipart/form-data"
    )
