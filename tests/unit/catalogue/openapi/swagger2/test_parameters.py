"""Parameters have one schema, and are written on the wire as `collectionFormat` says."""

from typing import Any

import pytest

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document, Node
from bascule.catalogue.openapi.swagger2.origins import Origins
from bascule.catalogue.openapi.swagger2.parameters import upgrade_parameter
from bascule.catalogue.openapi.swagger2.schemas import SchemaUpgrade
from bascule.catalogue.openapi.swagger2.shared import Shared


def upgraded(**parameter: object) -> tuple[dict[str, Any], list[str]]:
    """The parameter, and the remarks made."""
    context, origins = Context(Document({}), ignores_ref_siblings=True), Origins()
    shared = Shared(context, SchemaUpgrade(context, origins), origins, (), ())
    found = upgrade_parameter(Node(parameter, ("here",)), ("there",), shared)
    return found, [one.message for one in context.remarks.findings({})]


def test_what_is_said_of_the_value_is_its_schema() -> None:
    found, remarks = upgraded(
        name="a", type="string", description="d", required=True, enum=["x"], **{
            "in": "query", "x-nullable": True, "x-example": "x", "allowEmptyValue": True,
        },
    )  # fmt: skip

    assert found == {
        "name": "a", "in": "query", "description": "d", "required": True, "allowEmptyValue": True,
        "schema": {"type": "string", "enum": ["x"], "nullable": True}, "example": "x",
        "x-nullable": True, "x-example": "x",
    }  # fmt: skip
    assert remarks == []


@pytest.mark.parametrize(
    ("location", "written", "style", "explode"),
    [
        ("query", None, "form", False),
        ("query", "csv", "form", False),
        ("query", "multi", "form", True),
        ("query", "ssv", "spaceDelimited", False),
        ("query", "pipes", "pipeDelimited", False),
        ("query", "tsv", "tabDelimited", False),
        ("path", "csv", "simple", False),
        ("path", "ssv", "spaceDelimited", False),
        ("header", "tsv", "tabDelimited", False),
        ("header", "csv", "simple", False),
    ],
)
def test_arrays_are_written_as_their_format_says(
    location: str,
    written: str | None,
    style: str,
    explode: bool,
) -> None:
    said = {"collectionFormat": written} if written else {}

    found, remarks = upgraded(
        name="a", type="array", items={"type": "integer"}, **{"in": location, **said}
    )

    assert (found["style"], found["explode"]) == (style, explode)
    assert found["schema"] == {"type": "array", "items": {"type": "integer"}}
    assert remarks == []


@pytest.mark.parametrize(
    ("location", "written", "style"),
    [("path", "multi", "simple"), ("header", "multi", "simple"), ("query", "odd", "form")],
)
def test_a_format_without_meaning_is_commas(location: str, written: str, style: str) -> None:
    found, remarks = upgraded(
        name="a", type="array", **{"in": location, "collectionFormat": written}
    )

    assert (found["style"], found["explode"]) == (style, False)
    assert remarks == [f"`{written}` has no meaning here; the items are joined by commas."]


def test_an_array_within_an_array_is_remarked_on() -> None:
    items = {"type": "array", "items": {"type": "string"}, "collectionFormat": "pipes"}

    _, remarks = upgraded(name="a", type="array", items=items, **{"in": "query"})

    assert "array within an array" in remarks[0]


def test_a_schema_that_does_not_belong_there_is_taken_all_the_same() -> None:
    found, _ = upgraded(name="a", schema={"type": "integer"}, **{"in": "query"})

    assert found["schema"] == {"type": "integer"}
