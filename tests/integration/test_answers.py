"""What answers of a service become, through the gateway as it is run."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fakes.echo import Echo, echoing, response
from fakes.instances import Instance, post, serving
from fakes.mcp import META, modern

PNG = b"\x89PNG\r\n\x1a\n"
EVENTS = {"text/event-stream": {}}
OFFERS: dict[str, dict[str, Any]] = {
    "json": {"application/json": {"schema": {"type": "object"}}},
    "any": {"*/*": {}},
    "csv": {"text/csv": {}},
    "picture": {"image/png": {}},
    "watch": {"application/json": {}, **EVENTS},
    "lines": {"application/x-ndjson": {}},
}


def document() -> bytes:
    def operation(name: str, **more: Any) -> dict[str, Any]:
        answer = {"description": "ok", "content": OFFERS[name]}
        return {"operationId": name, "responses": {"200": answer}, **more}

    paths: dict[str, Any] = {f"/{name}": {"get": operation(name)} for name in OFFERS}
    paths["/json"]["head"] = operation("json", operationId="look")
    paths["/json"]["post"] = operation("json", operationId="make")
    info = {"title": "Answers", "version": "1"}
    return json.dumps({"openapi": "3.1.0", "info": info, "paths": paths}).encode()


@pytest.fixture(scope="module")
def echo() -> Iterator[Echo]:
    with echoing() as service:
        yield service


@pytest.fixture(scope="module")
def instance(echo: Echo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    settings = {"upstreams.max_text_characters": "1000", "upstreams.max_embedded_bytes": "2000"}
    with serving(tmp_path_factory.mktemp("answers") / "data", settings=settings) as running:
        running.publish(document(), "answers", echo.url)
        yield running


def call(instance: Instance, tool: str) -> dict[str, Any]:
    answer = instance.call(tool).json()
    assert "result" in answer, answer
    return answer["result"]


def texts(result: dict[str, Any]) -> list[str]:
    return [block["text"] for block in result["content"]]


def test_json_is_text_and_structured_content(echo: Echo, instance: Instance) -> None:
    echo.answers["/json"] = response(b'{"a": 1.50}')

    result = call(instance, "json")

    assert texts(result) == ['{"a": 1.50}']
    assert result["structuredContent"] == {"a": 1.5}


@pytest.mark.parametrize(
    ("body", "media_type", "shown"),
    [
        (b"a;b\n\xfc;2", "text/csv; charset=iso-8859-1", "a;b\nü;2"),
        (b"<a>\xc3\xbc</a>", "application/xml", "<a>ü</a>"),
        (b'{"a":1}', "application/vnd.x+json", '{"a":1}'),
        (b"", "", "Done (HTTP 200, no content)."),
        (b'{"a":1}\n2\n', "application/jsonl", '{"a":1}\n2'),
    ],
)
def test_what_reads_as_text_is_text(
    body: bytes, media_type: str, shown: str, echo: Echo, instance: Instance
) -> None:
    echo.answers["/any"] = response(body, media_type)

    assert texts(call(instance, "any")) == [shown]


@pytest.mark.parametrize(
    ("media_type", "block"),
    [
        ("image/png", {"type": "image", "mimeType": "image/png"}),
        ("audio/wav", {"type": "audio", "mimeType": "audio/wav"}),
    ],
)
def test_images_and_sound_are_such_content(
    media_type: str, block: dict[str, str], echo: Echo, instance: Instance
) -> None:
    echo.answers["/any"] = response(PNG, media_type)

    assert call(instance, "any")["content"] == [{**block, "data": base64.b64encode(PNG).decode()}]


def test_other_bytes_are_a_resource_and_too_many_are_described(
    echo: Echo, instance: Instance
) -> None:
    echo.answers["/any"] = response(
        b"%PDF", "application/pdf", content_disposition='attachment; filename="a b.pdf"'
    )
    (block,) = call(instance, "any")["content"]
    assert block["resource"] == {
        "uri": "bascule://answer/a%20b.pdf", "mimeType": "application/pdf", "blob": "JVBERg==",
    }  # fmt: skip

    echo.answers["/any"] = response(b"x" * 3000, "application/pdf")
    assert "3,000 bytes of application/pdf" in texts(call(instance, "any"))[0]


def test_text_is_cut_and_structured_content_is_whole(echo: Echo, instance: Instance) -> None:
    echo.answers["/json"] = response(json.dumps({"a": "x" * 5000}).encode())

    result = call(instance, "json")

    assert "Cut off here: these are the first 1,000 of 5,009 characters" in texts(result)[0]
    assert result["structuredContent"] == {"a": "x" * 5000}


def test_what_headers_say_is_told(echo: Echo, instance: Instance) -> None:
    link = '</json?page=2>; rel="next"'
    echo.answers["/json"] = response(
        b"{}", status="201 Created", location=f"{echo.url}/json/7", link=link
    )

    assert texts(call(instance, "make")) == ["{}", "Location: /json/7\nNext page: /json?page=2"]


def test_an_answer_to_head_tells_its_headers(echo: Echo, instance: Instance) -> None:
    echo.answers["/json"] = b"HTTP/1.1 200 OK\r\ncontent-length: 77\r\n\r\n"

    assert texts(call(instance, "look")) == ["HTTP 200\ncontent-length: 77"]


def test_a_refusal_is_told_in_the_words_of_its_problem(echo: Echo, instance: Instance) -> None:
    echo.answers["/json"] = response(
        b'{"title":"No credit","detail":"30 is not 50."}',
        "application/problem+json",
        "403 Forbidden",
    )

    result = call(instance, "json")

    assert result["isError"]
    assert "HTTP 403 (Forbidden): No credit: 30 is not 50." in texts(result)[0]


@pytest.mark.parametrize(
    ("tool", "accept"),
    [
        ("json", b"application/json"), ("any", b"application/json"),
        ("csv", b"text/csv, */*;q=0.1"), ("picture", b"image/png, */*;q=0.1"),
        ("watch", b"application/json, text/event-stream, */*;q=0.1"),
    ],
)  # fmt: skip
def test_what_is_offered_is_asked_for(
    tool: str, accept: bytes, echo: Echo, instance: Instance
) -> None:
    echo.answers[f"/{tool}"] = response(b"{}")

    call(instance, tool)

    assert echo.last(f"/{tool}").header("accept") == accept


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"


def watching(tool: str) -> dict[str, Any]:
    params = {"name": tool, "arguments": {}, "_meta": {**META, "progressToken": "t"}}
    return post(modern("tools/call", params), {"Accept": "application/json, text/event-stream"})


def test_a_sequence_is_told_while_it_comes(echo: Echo, instance: Instance) -> None:
    seen = threading.Event()

    def answer(write: Callable[[bytes], None]) -> None:
        write(HEAD + b"data: one\n\n")
        assert seen.wait(10)  # nothing more before the first event has reached the caller
        write(b"event: end\ndata: two\n\n")

    echo.answers["/watch"] = answer
    messages: list[dict[str, Any]] = []
    with instance.api() as client, client.stream("POST", "/mcp", **watching("watch")) as reply:
        for line in reply.iter_lines():
            if line.startswith("data: {"):
                messages.append(json.loads(line.removeprefix("data: ")))
                seen.set()

    *notes, last = messages
    assert [one["params"] for one in notes] == [
        {"progressToken": "t", "progress": 1, "message": "one"},
        {"progressToken": "t", "progress": 2, "message": "end: two"},
    ]
    assert texts(last["result"]) == ["one\nend: two"]


def test_without_a_way_to_be_told_the_whole_is_the_result(echo: Echo, instance: Instance) -> None:
    echo.answers["/watch"] = response(b"data: one\n\ndata: two\n\n", "text/event-stream")
    assert texts(call(instance, "watch")) == ["one\ntwo"]

    echo.answers["/lines"] = response(b'{"a":1}\n{"a":2}\n', "application/x-ndjson")
    result = call(instance, "lines")
    assert texts(result) == ['{"a":1}\n{"a":2}']
    assert result["structuredContent"] == {"result": [{"a": 1}, {"a": 2}]}


def test_another_answer_of_an_operation_that_may_stream_is_as_any(
    echo: Echo, instance: Instance
) -> None:
    echo.answers["/watch"] = response(b'{"a":1}')

    assert call(instance, "watch")["structuredContent"] == {"a": 1}


def test_who_leaves_ends_the_sequence(echo: Echo, instance: Instance) -> None:
    def answer(write: Callable[[bytes], None]) -> None:
        write(HEAD)
        while True:  # until nobody reads any more
            write(b"data: more\n\n")

    echo.answers["/watch"] = answer
    echo.closed.clear()
    with instance.api() as client, client.stream("POST", "/mcp", **watching("watch")) as reply:
        next(reply.iter_lines())

    assert echo.closed.wait(10)
