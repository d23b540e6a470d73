"""Definitions are translated once, named once, and bounded together."""

import pytest

from bascule.catalogue.openapi.budget import Budget
from bascule.catalogue.openapi.definitions import Definitions, Translated
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import DocumentRejected


def test_a_target_is_translated_once_and_keeps_its_name() -> None:
    calls: list[Node] = []

    def translate(node: Node) -> Translated:
        calls.append(node)
        return Translated({"type": "string"}, frozenset())

    definitions = Definitions(translate, Budget())
    target = Node({}, ("components", "schemas", "Pet"))

    assert definitions.name(target) == definitions.name(target) == "Pet"
    assert definitions.closure(["Pet"], 99) == definitions.closure(["Pet"], 99)
    assert len(calls) == 1


def test_targets_of_the_same_name_are_told_apart() -> None:
    definitions = Definitions(lambda _: Translated({}, frozenset()), Budget())

    assert definitions.name(Node({}, ("a", "Pet"))) == "Pet"
    assert definitions.name(Node({}, ("b", "Pet"))) == "Pet_2"
    assert definitions.name(Node({}, ())) == "schema"


def make_circle() -> Definitions:
    def translate(node: Node) -> Translated:
        other = "B" if node.pointer == ("A",) else "A"
        return Translated({"$ref": f"#/$defs/{other}"}, frozenset({other}))

    definitions = Definitions(translate, Budget())
    definitions.name(Node({}, ("A",)))
    definitions.name(Node({}, ("B",)))
    return definitions


def test_the_closure_of_a_circle_is_finite_and_not_tame() -> None:
    closure = make_circle().closure(["A"], 1_000)

    assert closure is not None
    assert closure.definitions == {"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}}
    assert not closure.tame
    assert not make_circle().is_light({"$ref": "#/$defs/A"})


def test_a_closure_that_is_too_large_is_none() -> None:
    heavy = Translated({"description": "x" * 1_000}, frozenset())
    definitions = Definitions(lambda _: heavy, Budget())
    name = definitions.name(Node({}, ("A",)))

    assert definitions.closure([name], 1_000) is None
    assert definitions.closure([name], 1_100) is not None


def test_a_brief_closure_has_short_descriptions_and_no_examples() -> None:
    heavy = Translated({"description": "x " * 1_000, "examples": [1]}, frozenset())
    definitions = Definitions(lambda _: heavy, Budget())
    name = definitions.name(Node({}, ("A",)))

    closure = definitions.brief_closure([name], 1_000)

    assert closure is not None
    assert closure.size_bytes < 200
    assert list(closure.definitions["A"]) == ["description"]


def test_what_is_true_or_false_is_an_object_where_one_is_needed() -> None:
    for schema, whole in ((True, {}), (False, {"not": {}})):
        definitions = Definitions(lambda _, it=schema: Translated(it, frozenset()), Budget())
        name = definitions.name(Node(schema, ("A",)))

        assert definitions.whole(name) == whole
        assert definitions.brief_closure([name], 99).definitions == {"A": schema}


def test_what_is_too_large_or_too_deep_is_not_put_in_the_place_of_a_reference() -> None:
    deep: dict[str, object] = {}
    for _ in range(30):
        deep = {"items": deep}
    for schema, fits in (({"title": "x" * 20_000}, False), (deep, False), ({"title": "x"}, True)):
        definitions = Definitions(lambda _, it=schema: Translated(it, frozenset()), Budget())
        name = definitions.name(Node(schema, ("A",)))

        assert (definitions.peek(name) is not None) == fits


def test_a_definition_in_progress_is_not_asked_for() -> None:
    seen: list[object] = []

    def translate(_: Node) -> Translated:
        seen.append(definitions.peek("A"))
        return Translated({}, frozenset())

    definitions = Definitions(translate, Budget())
    definitions.name(Node({}, ("A",)))

    assert definitions.peek("A") == Translated({}, frozenset())
    assert seen == [None]


def test_repeating_large_definitions_spends_the_budget() -> None:
    heavy = Translated({"description": "x" * 64_000}, frozenset())
    definitions = Definitions(lambda _: heavy, Budget(2_500))
    name = definitions.name(Node({}, ("A",)))
    definitions.closure([name], 100_000)
    definitions.closure([name], 100_000)

    with pytest.raises(DocumentRejected, match="too much work"):
        definitions.closure([name], 100_000)
