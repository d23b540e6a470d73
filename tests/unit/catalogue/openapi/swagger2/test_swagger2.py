"""Real documents of Swagger 2.0: every operation a tool, the same ones as its OpenAPI 3.0 twin."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from bascule.catalogue.openapi import convert
from bascule.catalogue.openapi.pointers import parse_place

DOCUMENTS = Path(__file__).parents[4] / "documents"


def load(name: str) -> Any:
    return json.loads(gzip.decompress((DOCUMENTS / name).read_bytes()))


def with_security(twin: Any, original: Any) -> None:
    twin["security"] = original["security"]


def with_required_bodies(twin: Any, original: Any) -> None:
    for path, item in twin["paths"].items():
        for method, operation in item.items():
            if "requestBody" in operation:
                parameters = original["paths"][path][method]["parameters"]
                (body,) = [one for one in parameters if one["in"] == "body"]
                operation["requestBody"]["required"] = body.get("required", False)


DIFFERENCES: Final[dict[str, Callable[[Any, Any], None]]] = {
    "The twin says nothing of security; tools keep what the original asks of a caller.": (
        with_security
    ),
    "The twin has lost that bodies are required, as most are in the original.": (
        with_required_bodies
    ),
}
"""Each is made good in the twin, from the original. Nothing else may differ."""


def test_kubernetes_gives_the_same_tools_as_its_twin_in_openapi_3() -> None:
    original, twin = load("kubernetes-batch-2.0.json.gz"), load("kubernetes-batch-3.0.json.gz")
    for make_good in DIFFERENCES.values():
        make_good(twin, original)

    old, new = convert(json.dumps(original).encode()), convert(json.dumps(twin).encode())

    assert len(old.tools) == 29
    assert old.tools == new.tools


def test_every_difference_is_one() -> None:
    original = load("kubernetes-batch-2.0.json.gz")
    tools = convert(json.dumps(original).encode()).tools

    for left_out in DIFFERENCES.values():
        twin = load("kubernetes-batch-3.0.json.gz")
        for make_good in DIFFERENCES.values():
            if make_good is not left_out:
                make_good(twin, original)
        assert convert(json.dumps(twin).encode()).tools != tools


def test_every_operation_of_slack_is_a_tool() -> None:
    document = load("slack-2.0.json.gz")
    operations = [
        (path, method) for path, item in document["paths"].items() for method in item
        if method in ("get", "put", "post", "delete", "patch", "head", "options")
    ]  # fmt: skip

    conversion = convert(json.dumps(document, indent=1).encode())

    assert [(one.source.path, one.source.method.lower()) for one in conversion.tools] == operations
    assert len(operations) == 174
    assert conversion.base_url == "https://slack.com/api"
    text = json.dumps(document, indent=1).splitlines()
    for finding in conversion.warnings:
        assert finding.line is not None
        name = parse_place(finding.location)[-1]
        assert name.isdecimal() or json.dumps(name) in text[finding.line - 1]
