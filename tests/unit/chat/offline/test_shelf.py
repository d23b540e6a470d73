"""Tools that give what others need."""

from bascule.chat.models import ModelTool
from bascule.chat.offline.shelf import Shelf, examples_of


def schema(**properties: object) -> dict[str, object]:
    return {"type": "object", "required": list(properties), "properties": properties}


TEXT = {"type": "string"}
PETS = {"type": "array", "items": schema(id=TEXT, name=TEXT)}
LIST = ModelTool("list_pets", "", schema(shop=TEXT), "List pets", schema(pets=PETS))
SHOPS = ModelTool("find_shop", "", {}, "Find a shop", schema(shop=TEXT))
SELL = ModelTool("sell_pet", "", schema(pet_id=TEXT), "Sell a pet", None, "write")
GET = ModelTool("get_pet", "", schema(pet_id={**TEXT, "examples": ["P-4711"]}), "Show a pet", None)
CODE = {**TEXT, "description": "From list_pets."}
NAMED = ModelTool("adopt", "", schema(code=CODE), "", None, "write")
SHELF = Shelf([LIST, SHOPS, SELL, GET, NAMED])


def test_a_provider_is_found_by_what_it_gives() -> None:
    (leaf,) = SHELF.leaves(SELL)
    assert SHELF.providers(SELL, leaf) == [LIST]
    best = SHELF.best_field(SELL, leaf, LIST)
    assert best is not None
    assert best[0].path == ("pets", "*", "id")


def test_a_tool_helps_directly_or_through_another() -> None:
    assert SHELF.helps(LIST, SELL)
    assert SHELF.helps(SHOPS, SELL)
    assert not SHELF.helps(GET, SELL)


def test_examples_are_borrowed_from_the_like() -> None:
    (leaf,) = SHELF.leaves(SELL)
    assert SHELF.wish(SELL, leaf).examples == ("P-4711",)
    assert examples_of({"example": 4, "examples": [True, {}, "a"]}) == ("a", "4")
