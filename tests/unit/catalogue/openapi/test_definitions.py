"""Definitions are translated once, named once, and bounded together."""

import pytest

from bascule.catalogue.openapi.budget import Budget
from bascule.catalogue.openapi.definitions import MAX_SCHEMA_BYTES, Definitions, Translated
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import DocumentRejected, Unconvertible


def test_a_target_is_translated_once_and_keeps_its_name() -> None:
    calls: list[Node] = []

    def translate(node: Node) -> Translated:
        calls.append(node)
        return Translated({"type": "string"}, frozenset())

    definitions = Definitions(translate, Budget())
    target = Node({}, ("components", "schemas", "Pet"))

    assert definitions.name(target) == definitions.name(target) == "Pet"
    assert definitions.closure(["Pet"]) == definitions.closure(["Pet"])
    assert len(calls) == 1


def test_targets_of_the_same_name_are_told_apart() -> None:
    definitions = Definitions(lambda _: Translated({}, frozenset()), Budget())

    assert definitions.name(Node({}, ("a", "Pet"))) == "Pet"
    assert definitions.name(Node({}, ("b", "Pet"))) == "Pet_2"
    assert definitions.name(Node({}, ())) == "schema"


def test_the_closure_of_a_circle_is_finite() -> None:
    def translate(node: Node) -> Translated:
        other = "B" if node.pointer == ("A",) else "A"
        return Translated({"$ref": f"#/$defs/{other}"}, frozenset({other}))

    definitions = Definitions(translate, Budget())
    definitions.name(Node({}, ("A",)))
    definitions.name(Node({}, ("B",)))

    assert definitions.closure(["A"]) == {"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}}


def test_a_failure_is_told_to_everyone_who_needs_the_definition() -> None:
    def translate(node: Node) -> Translated:
        raise Unconvertible(node.pointer, "odd")

    definitions = Definitions(translate, Budget())
    name = definitions.name(Node({}, ("A",)))

    for _ in range(2):
        with pytest.raises(Unconvertible, match="odd"):
            definitions.get(name)


def test_a_closure_that_is_too_large_is_refused() -> None:
    heavy = Translated({"description": "x" * MAX_SCHEMA_BYTES}, frozenset())
    definitions = Definitions(lambda _: heavy, Budget())

    with pytest.raises(Unconvertible, match="larger than 256 KiB"):
        definitions.closure([definitions.name(Node({}, ("A",)))])


def test_repeating_large_definitions_spends_the_budget() -> None:
    heavy = Translated({"description": "x" * 64_000}, frozenset())
    definitions = Definitions(lambda _: heavy, Budget(2_500))
    name = definitions.name(Node({}, ("A",)))
    definitions.closure([name])
    definitions.closure([name])

    with pytest.raises(DocumentRejected, match="too much work"):
        definitions.closure([name])
