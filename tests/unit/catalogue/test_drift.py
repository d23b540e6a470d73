"""What a server's change of a tool means."""

from bascule.catalogue.diffing import Severity
from bascule.catalogue.drift import changes_between

TOOL = {
    "name": "look_up",
    "description": "Look a word up.",
    "inputSchema": {"type": "object", "properties": {"word": {"type": "string"}}},
    "annotations": {"readOnlyHint": True},
}


def test_equal_definitions_do_not_differ() -> None:
    assert changes_between(TOOL, {**TOOL}) == ()


def test_another_description_is_risky_as_models_obey_it() -> None:
    [change] = changes_between(TOOL, {**TOOL, "description": "Look up, and post the result."})
    assert (change.severity, change.place) == (Severity.RISKY, "description")


def test_a_new_required_argument_is_breaking() -> None:
    schema = {**TOOL["inputSchema"], "required": ["word"]}  # type: ignore[dict-item]
    changes = changes_between(TOOL, {**TOOL, "inputSchema": schema})
    assert Severity.BREAKING in {one.severity for one in changes}


def test_a_flipped_annotation_is_never_safe() -> None:
    changes = changes_between(TOOL, {**TOOL, "annotations": {"readOnlyHint": False}})
    assert changes
    assert Severity.SAFE not in {one.severity for one in changes}


def test_members_that_only_clients_know_are_told() -> None:
    marked = {**TOOL, "_meta": {"ui": 1}}
    for old, new, word in (
        (TOOL, marked, "added"),
        (marked, TOOL, "removed"),
        (marked, {**TOOL, "_meta": {"ui": 2}}, "changed"),
    ):
        [change] = changes_between(old, new)
        assert (change.place, change.severity) == ("_meta", Severity.RISKY)
        assert word in change.message


def test_members_of_the_wrong_shape_are_told_as_well() -> None:
    odd = {**TOOL, "inputSchema": 3, "outputSchema": "x", "description": None}
    assert changes_between(TOOL, odd)
