"""What is called tame or light can be checked; a circle is neither."""

from typing import Any

import pytest

from bascule.catalogue.openapi.tameness import Weights, is_tame, is_tame_throughout, next_reference
from bascule.protocol.schemas import MOST_VISITS

REF = {"$ref": "#/$defs/A"}


@pytest.mark.parametrize(
    ("schema", "tame"),
    [
        ({"type": "object", "properties": {"a": REF, "b": REF}}, True),
        ({"anyOf": [REF, {"type": "null"}]}, True),
        ({"oneOf": [REF, REF]}, False),
        ({"allOf": [REF], "not": {"items": {}}}, False),
        ({**REF, "anyOf": [{"type": "null"}]}, True),
        ({**REF, "anyOf": [{"properties": {}}]}, False),
        ({"patternProperties": {"a": {}}}, False),
        ({"unevaluatedProperties": False}, False),
        ({"anyOf": [{"type": "null"}] * 300}, False),
    ],
)
def test_at_most_one_branch_of_a_tame_schema_goes_on(schema: dict[str, Any], *, tame: bool) -> None:
    assert is_tame(schema) is tame


def test_every_level_that_is_written_out_is_looked_at() -> None:
    assert is_tame_throughout({"properties": {"a": {"anyOf": [REF, {"type": "null"}]}}})
    assert not is_tame_throughout({"properties": {"a": {"items": {"allOf": [REF, REF]}}}})


def test_the_way_to_the_next_definition_leads_through_branches() -> None:
    assert next_reference({"anyOf": [{"type": "null"}, {"allOf": [REF]}]}) == "A"
    assert next_reference({"not": REF}) == "A"
    assert next_reference({"properties": {"a": REF}}) is None
    assert next_reference({"anyOf": [{"properties": {}}]}) is None


def test_schemas_are_counted_with_all_references_written_out() -> None:
    definitions = {"A": {"properties": {"x": {}, "y": {"items": {}}}}, "B": {"anyOf": [REF, REF]}}
    weights = Weights(definitions.__getitem__)

    assert weights.weigh(True) == 1
    assert weights.weigh(definitions["A"]) == 4
    assert weights.weigh({"$ref": "#/$defs/B"}) == 1 + (1 + 2 * (1 + 4))
    assert weights.weigh({"prefixItems": [REF], "unevaluatedItems": REF}) == 1 + 2 * 2 * 5


def test_circles_and_depths_weigh_too_much() -> None:
    weights = Weights({"A": {"items": {"$ref": "#/$defs/B"}}, "B": {"anyOf": [REF]}}.__getitem__)
    deep: dict[str, Any] = {}
    for _ in range(80):
        deep = {"items": deep}
    chain = {f"C{n}": {"items": {"$ref": f"#/$defs/C{n + 1}"}} for n in range(3_000)}

    assert weights.weigh(REF) > MOST_VISITS
    assert weights.weigh(deep) > MOST_VISITS
    assert Weights(chain.__getitem__).weigh({"$ref": "#/$defs/C0"}) > MOST_VISITS


def test_doubling_ends_at_the_limit() -> None:
    doubled = {f"D{n}": {"anyOf": [{"$ref": f"#/$defs/D{n + 1}"}] * 2} for n in range(60)}
    doubled["D60"] = {}

    assert Weights(doubled.__getitem__).weigh({"$ref": "#/$defs/D0"}) == MOST_VISITS + 1
