"""Which conditions a record of a call does not tell the truth of: its arguments are masked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias, cast

from bascule.gateway.masking import is_exact, is_whole, may_lack, stands_for_any
from bascule.gateway.rule import EACH, ArgumentTest, Effect, Operator, Rule, RuleKind

Path: TypeAlias = tuple[str, ...]

Reading: TypeAlias = tuple[Rule, ...]
"""What a rule may come to for a call: another rule that needs not what is unknown, or none."""

_OF_PRESENCE: Final = frozenset({Operator.PRESENT, Operator.ABSENT})


def readings_of(
    rule: Rule, arguments: Mapping[str, object] | None, *, unknown: Iterable[Path] = ()
) -> Sequence[Reading]:
    """All that `rule` may come to for a recorded call: one reading where nothing is unknown.

    `arguments` are as recorded, None where none of them is. `unknown` are paths of the input of
    Rego that the record does not tell either, such as `("means",)`.
    """
    tests = tuple(test for test in rule.arguments if not is_unknown(test, arguments))
    is_cut = len(tests) < len(rule.arguments)
    if rule.kind is RuleKind.REGO and _reads_unknown(rule, arguments, unknown):
        certain = replace(rule, kind=RuleKind.CONDITION, arguments=tests, rego=None)
        allows, denies = (replace(certain, effect=one) for one in (Effect.ALLOW, Effect.DENY))
        return ((allows,), (denies,), ()) if is_cut else ((allows,), (denies,))
    if is_cut:
        return ((replace(rule, arguments=tests),), ())
    return ((rule,),)


def is_unknown(test: ArgumentTest, arguments: Mapping[str, object] | None) -> bool:
    """Whether a record with `arguments` leaves open how `test` ends."""
    if arguments is None:
        return True
    return _hidden(arguments, test.path, test.operator)


def _hidden(value: object, path: Path, operator: Operator | None) -> bool:
    """Whether something that lies at `path` below `value`, or its absence, is not known."""
    if not path:
        return operator not in _OF_PRESENCE and _is_masked(value, operator)
    if stands_for_any(value):
        return True
    name, rest = path[0], path[1:]
    if name == EACH:
        return _any_hidden(value, rest, operator)
    if not isinstance(value, Mapping):
        return False
    members = cast("Mapping[str, object]", value)
    if may_lack(members, name):
        return True
    return name in members and _hidden(members[name], rest, operator)


def _any_hidden(value: object, rest: Path, operator: Operator | None) -> bool:
    items = _items(value)
    if items is None:
        return False
    container = cast("Mapping[str, object] | list[object]", value)
    return not is_whole(container) or any(_hidden(item, rest, operator) for item in items)


def _is_masked(value: object, operator: Operator | None) -> bool:
    """Whether `value`, or anything within it that `operator` looks at, is not what was sent."""
    items = _items(value)
    if items is None:
        return not is_exact(value)
    if not is_whole(cast("Mapping[str, object] | list[object]", value)):
        return True
    return operator is not Operator.LONGER and any(_is_masked(item, None) for item in items)


def _items(value: object) -> Iterable[object] | None:
    """The members of a container, None of what is none."""
    if isinstance(value, Mapping):
        return cast("Mapping[str, object]", value).values()
    return cast("list[object]", value) if isinstance(value, list) else None


def _reads_unknown(
    rule: Rule, arguments: Mapping[str, object] | None, unknown: Iterable[Path]
) -> bool:
    reads = None if rule.rego is None else rule.rego.reads
    paths: Iterable[Path] = ((),) if reads is None else reads
    return any(_path_unknown(path, arguments, unknown) for path in paths)


def _path_unknown(
    path: Path, arguments: Mapping[str, object] | None, unknown: Iterable[Path]
) -> bool:
    if any(path == one[: len(path)] or one == path[: len(one)] for one in unknown):
        return True
    if path and path[0] != "arguments":
        return False
    return arguments is None or _hidden(arguments, path[1:], None)


def is_masked(arguments: Mapping[str, object] | None) -> bool:
    """Whether anything in the arguments of a record is not what was sent."""
    return arguments is None or _hidden(arguments, (), None)


def depends_on_arguments(rule: Rule) -> bool:
    """Whether `rule` may come to something else with other arguments."""
    if rule.arguments:
        return True
    if rule.kind is not RuleKind.REGO:
        return False
    reads = None if rule.rego is None else rule.rego.reads
    return reads is None or any(not path or path[0] == "arguments" for path in reads)
