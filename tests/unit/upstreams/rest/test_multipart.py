"""Multipart bodies parse back to their parts."""

from email import message_from_bytes
from email.policy import HTTP

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_multipart import MultipartParser

from bascule.upstreams.rest.multipart import Part, assemble, disposition


def parse(body: bytes, boundary: str) -> list[tuple[list[tuple[bytes, bytes]], bytes]]:
    """The parts as the parser of Starlette reads them."""
    parts: list[tuple[list[tuple[bytes, bytes]], bytes]] = []
    name, value, content = bytearray(), bytearray(), bytearray()
    headers: list[tuple[bytes, bytes]] = []

    def end_header() -> None:
        headers.append((bytes(name), bytes(value)))
        name.clear()
        value.clear()

    def end_part() -> None:
        parts.append((list(headers), bytes(content)))
        headers.clear()
        content.clear()

    parser = MultipartParser(
        boundary,
        {
            "on_header_field": lambda data, start, end: name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: value.extend(data[start:end]),
            "on_header_end": end_header,
            "on_part_data": lambda data, start, end: content.extend(data[start:end]),
            "on_part_end": end_part,
        },
    )
    parser.write(body)
    parser.finalize()
    return parts


@given(st.lists(st.binary(), min_size=1, max_size=4))
def test_any_content_parses_back(contents: list[bytes]) -> None:
    boundary, body = assemble([Part([("X-Index", "1")], one) for one in contents])

    assert parse(body, boundary) == [([(b"X-Index", b"1")], one) for one in contents]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_name_never_ends_early(name: str) -> None:
    part = Part([disposition("form-data", {"name": name})], b"x")
    boundary, body = assemble([part])

    ((headers, content),) = parse(body, boundary)

    assert content == b"x"
    assert len(headers) == 1
    kept = "".join(f"%{ord(one):02X}" if one in '"\\\x7f' or one < " " else one for one in name)
    assert headers[0][1] == f'form-data; name="{kept}"'.encode()


def test_the_parser_of_mail_agrees() -> None:
    parts = [
        Part([disposition("form-data", {"name": "a"}), ("Content-Type", "text/plain")], b"1"),
        Part([disposition("form-data", {"name": "f", "filename": "x.bin"})], b"2"),
    ]
    boundary, body = assemble(parts)
    head = f'Content-Type: multipart/form-data; boundary="{boundary}"\r\n\r\n'.encode()

    message = message_from_bytes(head + body, policy=HTTP)

    found = [
        (one.get_param("name", header="content-disposition"), one.get_filename())
        for one in message.iter_parts()  # type: ignore[attr-defined]
    ]
    assert found == [("a", None), ("f", "x.bin")]


def test_a_boundary_that_occurs_is_not_taken() -> None:
    words = iter(["taken", "free"])

    boundary, body = assemble([Part([], b"all is taken")], lambda: next(words))

    assert boundary == "free"
    assert body == b"--free\r\n\r\nall is taken\r\n--free--\r\n"


def test_boundaries_are_not_to_be_guessed() -> None:
    assert assemble([])[0] != assemble([])[0]


def test_a_header_never_holds_a_line_break() -> None:
    with pytest.raises(ValueError, match="line break"):
        assemble([Part([("X", "a\r\nY: b")], b"")])
