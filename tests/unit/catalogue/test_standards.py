from dataclasses import replace

from bascule.catalogue.standards import ANYTHING_GOES, Field, Standard, shortfalls, violations
from fakes.catalogue import make_tool

BARE = replace(make_tool(), description=" ", title=None)
FULL = replace(
    make_tool(),
    title="Slots",
    owner="crm",
    domain="sales",
    tags=("public", "daily"),
    examples=({},),
)


def told(standard: Standard, tool: object = BARE) -> list[str]:
    return [one.message for one in violations(standard, tool)]  # type: ignore[arg-type]


def test_without_a_standard_anything_goes() -> None:
    assert violations(ANYTHING_GOES, BARE) == ()


def test_each_missing_field_is_named() -> None:
    standard = Standard(required=tuple(Field))
    assert told(standard) == [
        "owner is required",
        "domain is required",
        "tags are required",
        "title is required",
        "description is required",
        "examples are required",
    ]
    assert told(standard, FULL) == []


def test_tags_are_counted() -> None:
    assert told(Standard(minimum_tags=3), FULL) == ["tags: at least 3 are required"]
    assert told(Standard(minimum_tags=2), FULL) == []


def test_only_allowed_values_are_accepted() -> None:
    standard = Standard(allowed={Field.DOMAIN: ("service",), Field.TAGS: ("public",)})
    assert told(standard, FULL) == [
        "domain 'sales' is not allowed; allowed are service",
        "tags 'daily' is not allowed; allowed are public",
    ]
    assert told(standard) == [], "a value that is not there is not wrong unless it is required"


def test_what_many_tools_lack_is_one_sentence() -> None:
    standard = Standard(required=(Field.OWNER, Field.TITLE))
    many = [replace(BARE, name=f"t{number}", title="T") for number in range(5)]
    assert shortfalls(standard, [*many, FULL]) == (
        "Would not be published: owner is required for 5 tools (t0, t1, t2, …).",
    )
    assert shortfalls(standard, [replace(BARE, name="t", owner="crm")]) == (
        "Would not be published: title is required for 1 tool (t).",
    )
    assert shortfalls(ANYTHING_GOES, many) == ()
