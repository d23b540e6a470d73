import pytest

from bascule.policy.rego.findings import Findings, extended
from bascule.policy.rego.syntax import Definition, NotUnderstood, Scope

SCOPE = Scope(("p",), {})


def define(path: str, *, is_plain: bool = True, is_function: bool = False) -> Definition:
    params = () if is_function else None
    return Definition(SCOPE, tuple(path.split(".")), params, (), (), (), is_plain)


def paths(*dotted: str) -> set[tuple[str, ...]]:
    return {tuple(one.split(".")) for one in dotted}


A, B, F = define("p.a"), define("p.b.c"), define("p.f", is_function=True)


def test_what_is_read_above_covers_what_is_read_below() -> None:
    found = Findings([])
    found.read(paths("tool.risk", "tool.name", "user"))
    assert found.reads() == paths("tool.risk", "tool.name", "user")
    found.read(paths("tool"))
    assert found.reads() == paths("tool", "user")
    found.read({()})
    assert found.reads() is None


def test_what_is_only_handed_on_must_be_there() -> None:
    found = Findings([A])
    found.bind(A, "x", paths("tool", "user"))
    found.hold({()})
    assert found.reads() == paths("tool", "user")
    found.read(paths("tool.risk"))
    assert found.reads() == paths("tool.risk", "user")


def test_a_variable_may_be_all_that_it_was_bound_to() -> None:
    found = Findings([A, B])
    found.bind(A, "x", paths("tool"))
    found.bind(A, "x", paths("user"))
    assert found.bound(A, "x") == paths("tool", "user")
    assert found.bound(A, "y") == found.bound(B, "x") == set()


def test_what_is_too_deep_is_looked_at() -> None:
    found = Findings([A])
    found.bind(A, "x", paths("a.b.c.d.e.f.g.h.i.j"))
    assert found.bound(A, "x") == set()
    assert found.reads() == paths("a.b.c.d.e.f.g.h")


def test_one_value_is_handed_on_and_several_are_compared() -> None:
    found = Findings([A, B])
    found.give(A, paths("tool"))
    assert found.look_up(("p", "a", "risk"), is_whole=True) == paths("tool.risk")
    found.read(paths("tool.risk"))
    assert found.reads() == paths("tool.risk")
    found.give(A, paths("user"))
    assert found.reads() == paths("tool", "user")


@pytest.mark.parametrize("definitions", [[A, define("p.a")], [define("p.a", is_plain=False)]])
def test_values_of_what_has_several_are_looked_at(definitions: list[Definition]) -> None:
    found = Findings(definitions)
    found.give(definitions[0], paths("tool"))
    assert found.reads() == paths("tool")


def test_what_is_above_and_below_a_place_is_reached() -> None:
    found = Findings([A, B, F])
    found.give(B, paths("tool"))
    assert found.look_up(("p", "b", "c", "d"), is_whole=True) == paths("tool.d")
    assert found.reached() == (B,)
    assert found.look_up(("p", "b"), is_whole=True) == set()
    assert found.reads() == paths("tool")
    found.look_up((), is_whole=False)
    assert set(found.reached()) == {A, B, F}


def test_something_below_a_place_that_is_computed_is_looked_at() -> None:
    found = Findings([A])
    found.give(A, paths("tool"))
    assert found.look_up(("p", "a"), is_whole=False) == set()
    assert found.reads() == paths("tool")


def test_functions_are_told_from_rules() -> None:
    found = Findings([A, F])
    assert found.has_rules(("p", "a"))
    assert found.has_rules(("p",))
    assert not found.has_rules(("q",))
    assert not found.has_functions(("p", "a", "b"))
    assert found.has_functions(("p",))
    assert found.has_functions(("p", "f", "x"))
    assert found.functions_at(("p", "a")) == []
    assert found.functions_at(("p", "f")) == [F]
    assert found.reached() == (F,)
    found.give(F, paths("tool"))
    assert found.value_of(("p", "f")) == paths("tool")


def test_more_than_is_of_use_is_not_gone_through() -> None:
    found = Findings([A])
    for _ in range(500_000):
        found.spend()
    with pytest.raises(NotUnderstood):
        found.spend()
    found = Findings([A])
    found.bind(A, "x", {("arguments", str(number)) for number in range(5000)})
    with pytest.raises(NotUnderstood):
        found.extent()


def test_what_is_known_only_grows() -> None:
    found = Findings([A, F])
    extents = [found.extent()]
    found.read(paths("user"))
    extents.append(found.extent())
    found.bind(A, "x", paths("tool"))
    extents.append(found.extent())
    found.functions_at(("p", "f"))
    extents.append(found.extent())
    found.is_volatile = True
    extents.append(found.extent())
    assert extents == sorted(set(extents))


def test_paths_are_extended() -> None:
    assert extended(paths("a", "b"), ("c",)) == paths("a.c", "b.c")
