"""What of one tool answers to a parameter of another."""

import pytest

from bascule.chat.offline.matching import ENOUGH, fit, is_opaque, is_reference, mentioned
from bascule.chat.offline.schemas import Field, Leaf

STRING: dict[str, object] = {"type": "string"}


def leaf(name: str, **schema: object) -> Leaf:
    return Leaf((name,), {**STRING, **schema}, required=True)


@pytest.mark.parametrize(
    ("name", "path", "entities", "around"),
    [
        ("pet_id", ("petId",), (), ()),
        ("pet_id", ("pets", "*", "id"), ("pet",), ()),
        ("owner_phone", ("phone",), ("owner",), ()),
        ("id", ("pet_id",), (), ("pet",)),
        ("id", ("id",), ("pet",), ("pet",)),
        ("pet_code", ("pets", "*"), (), ()),
    ],
)
def test_names_that_mean_the_same_fit(
    name: str, path: tuple[str, ...], entities: tuple[str, ...], around: tuple[str, ...]
) -> None:
    field = Field(path, STRING, frozenset(entities))
    assert fit(leaf(name), frozenset(around), field) >= ENOUGH


@pytest.mark.parametrize(
    ("name", "path", "entities"),
    [
        ("pet_id", ("id",), ("shop",)),
        ("id", ("id",), ("shop",)),
        ("pet_id", ("shop_id",), ("shop",)),
        ("pet_code", ("shops", "*"), ()),
    ],
)
def test_other_things_do_not_fit(
    name: str, path: tuple[str, ...], entities: tuple[str, ...]
) -> None:
    assert fit(leaf(name), frozenset({"pet"}), Field(path, STRING, frozenset(entities))) < ENOUGH


def test_another_type_does_not_fit() -> None:
    field = Field(("pet_id",), {"type": "integer"}, frozenset())
    assert fit(leaf("pet_id"), frozenset(), field) == 0


def test_descriptions_are_no_references() -> None:
    assert is_reference(leaf("pet_id"))
    assert is_reference(leaf("owner_phone"))
    assert is_reference(leaf("thing", format="uuid"))
    assert not any(map(is_reference, (leaf("title"), leaf("start_date"), leaf("pet", enum=["a"]))))
    assert is_opaque(leaf("pet_id"))
    assert not is_opaque(leaf("owner_phone"))


def test_tools_are_named_in_descriptions() -> None:
    assert mentioned(leaf("a", description="From list_pets, or findPets.")) == {
        "list_pets",
        "findPets",
    }
