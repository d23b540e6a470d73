"""What reaches a service, byte for byte, from a document through the gateway as it is run.

The tables in `wire/` say what is described, what is given and what must arrive. They follow the
tables and examples of the OpenAPI texts (3.0.4, 3.1.1, 3.2.0): "Style Examples", "Parameter
Object Examples", "Encoding Object".
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from fakes.echo import Echo, echoing
from fakes.instances import Instance, serving, tool_call

TABLES = Path(__file__).parent / "wire"
Case = dict[str, Any]


def table(name: str) -> Any:
    return yaml.safe_load((TABLES / name).read_text(encoding="utf-8"))


def style_cases() -> Iterator[Case]:
    styles = table("styles.yaml")
    for row in styles["rows"]:
        place, style, explode = row["in"], row["style"], row["explode"]
        parameter = {"name": "color", "in": place, "style": style, "explode": explode}
        for kind, value in styles["values"].items():
            if row[kind] is None:
                continue
            case: Case = {
                "name": f"{place}_{style}_{'exploded' if explode else 'joined'}_{kind}",
                "parameters": [{**parameter, "required": place == "path", "schema": {}}],
                "arguments": {"color": value},
            }
            if place == "path":
                case |= {"path": "/{color}", "target": f"/{row[kind]}"}
            elif place == "query":
                case["target"] = f"?{row[kind]}"
            else:
                case["headers"] = {"color" if place == "header" else "cookie": row[kind]}
            yield case


CASES: list[Case] = [
    *style_cases(), *table("parameters.yaml"), *table("bodies.yaml"), *table("multipart.yaml"),
]  # fmt: skip


def document(cases: list[Case]) -> bytes:
    paths: dict[str, Any] = {}
    for case in cases:
        operation: Case = {"operationId": case["name"], "parameters": case.get("parameters", [])}
        operation["responses"] = {"200": {"description": "ok"}}
        if "content" in case:
            operation["requestBody"] = {"content": case["content"]}
        method = case.get("method", "post" if "content" in case else "get")
        paths[f"/{case['name']}{case.get('path', '')}"] = {method: operation}
    info = {"title": "Wire", "version": "1"}
    return json.dumps({"openapi": "3.2.0", "info": info, "paths": paths}).encode()


@pytest.fixture(scope="module")
def echo() -> Iterator[Echo]:
    with echoing() as service:
        yield service


@pytest.fixture(scope="module")
def instance(echo: Echo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """The gateway, with every case as a tool."""
    with serving(tmp_path_factory.mktemp("wire") / "data") as running:
        running.publish(document(CASES), "wire", f"{echo.url}/base")
        yield running


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_is_described_is_what_arrives(case: Case, echo: Echo, instance: Instance) -> None:
    before = len(echo.received)

    answer = instance.call(case["name"], **case["arguments"]).json()

    assert "result" in answer, answer
    assert not answer["result"].get("isError"), answer
    assert len(echo.received) == before + 1
    request = echo.last(f"/base/{case['name']}")
    if "method" in case:
        assert request.line.startswith(case["method"].upper().encode() + b" ")
    if "target" in case:
        assert request.target == f"/base/{case['name']}{case['target']}"
    for name, value in case.get("headers", {}).items():
        assert request.header(name) == (None if value is None else value.encode("latin-1"))
    if "body" in case:
        assert request.body == as_bytes(case["body"])
    if "parts" in case:
        content_type = request.header("content-type")
        assert content_type is not None
        media_type, _, boundary = content_type.partition(b"; boundary=")
        assert media_type.decode() == case.get("type", "multipart/form-data")
        assert split(request.body, boundary) == [expected(part) for part in case["parts"]]


def as_bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def expected(part: Any) -> Any:
    if isinstance(part, dict):
        return [expected(one) for one in part["nested"]]
    lines, content = part
    return [line.encode() for line in lines], as_bytes(content)


def split(body: bytes, boundary: bytes) -> list[Any]:
    """The parts of a multipart body (RFC 2046, section 5.1), nested ones as lists."""
    mark = b"--" + boundary
    first, *parts, last = (b"\r\n" + body).split(b"\r\n" + mark)
    assert (first, last) == (b"", b"--\r\n")
    found: list[Any] = []
    for part in parts:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        _, is_nested, inner = lines[-1].partition(b"; boundary=")
        found.append(split(content, inner) if is_nested else (lines, content))
    return found


@pytest.mark.parametrize(
    "value", ["../../admin?x=1#f", "..", "a/../b", "..\\x", "", "\ud800", "..;x=1/y"]
)
def test_a_value_that_would_leave_its_segment_is_refused_and_nothing_is_sent(
    value: str, echo: Echo, instance: Instance
) -> None:
    before = len(echo.received)

    message = tool_call("path_default", {"color": value})
    content = json.dumps(message.pop("json"))  # in ASCII: half of a surrogate pair has no bytes
    headers = {**message["headers"], "content-type": "application/json"}
    with instance.api() as client:
        answer = client.post("/mcp", content=content, headers=headers)

    assert "error" in answer.json()
    assert len(echo.received) == before


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("header_default", {"color": "a\r\nX-Evil: 1"}),
        ("cookie_style_raw", {"greeting": "a; admin=1"}),
        ("pipe", {"color": ["a|b"]}),
        ("file_beside_text", {"file": {"text": "x", "filename": "a\r\nX-Evil: 1"}}),
        ("file_beside_text", {"file": {"text": "x", "filename": "../x"}}),
        ("file_beside_text", {"file": {"text": "x", "content_type": "a/b\r\nX-Evil: 1"}}),
        ("file_beside_text", {"file": {"data": "not base64"}}),
        ("image", {"body": {"data": "AAH/", "content_type": "text/html"}}),
    ],
)
def test_a_value_that_would_inject_something_is_refused_and_nothing_is_sent(
    tool: str, arguments: dict[str, Any], echo: Echo, instance: Instance
) -> None:
    before = len(echo.received)

    answer = instance.call(tool, **arguments)

    assert "error" in answer.json() or answer.json()["result"]["isError"]
    assert len(echo.received) == before
