"""A mapping says which value chooses a branch, unless the branch says so itself."""

from typing import Any

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document, Node
from bascule.catalogue.openapi.unions import branch_marks

OWN = {"properties": {"kind": {"const": "d"}}}
SCHEMAS = {
    "Cat": {"properties": {"kind": {"type": "string"}}},
    "Dog": {"allOf": [{"$ref": "#/components/schemas/Cat"}, OWN]},
    "Cow": {"properties": {"kind": {"$ref": "#/components/schemas/Kind"}}},
    "Kind": {"enum": ["cow"]},
    "Loop": {"allOf": [{"$ref": "#/components/schemas/Loop"}]},
}  # fmt: skip


def marks(discriminator: object, *branches: str) -> tuple[list[Any], list[str]]:
    root = {"components": {"schemas": SCHEMAS}}
    context = Context(Document(root), ignores_ref_siblings=True)
    union = {
        "oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in branches],
        "discriminator": discriminator,
    }
    found = branch_marks(Node(union, ("u",)), "oneOf", context)
    return found, [one.message for one in context.remarks.findings({})]


def test_one_value_is_a_constant_and_several_are_a_list() -> None:
    mapping = {"cat": "#/components/schemas/Cat", "kitten": "Cat"}
    cat, loop = {"cat": mapping}, {"loop": "Loop"}

    (mark,), _ = marks({"propertyName": "kind", "mapping": mapping}, "Cat")
    assert mark == {"properties": {"kind": {"enum": ["cat", "kitten"]}}, "required": ["kind"]}
    (mark,), _ = marks({"propertyName": "kind", "mapping": loop}, "Loop")
    assert mark == {"properties": {"kind": {"const": "loop"}}, "required": ["kind"]}
    assert marks(cat, "Cat") == ([{}], [])


def test_values_that_the_branch_lists_are_left_alone() -> None:
    mapping = {"x": "#/components/schemas/Dog", "y": "#/components/schemas/Cow"}

    assert marks({"propertyName": "kind", "mapping": mapping}, "Dog", "Cow") == ([{}, {}], [])


def test_names_that_are_only_implied_are_not_enforced() -> None:
    assert marks({"propertyName": "kind"}, "Cat") == ([{}], [])
    assert marks("kind", "Cat") == ([{}], [])


def test_a_mapping_to_nothing_is_said() -> None:
    found, (remark,) = marks(
        {"propertyName": "kind", "mapping": {"x": "Gone", "y": 5}}, "Cat", "Gone"
    )

    assert found == [{}, {}]
    assert "'Gone'" in remark
