"""Looks at a document before it decides about anybody. Only a worker imports it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

import msgspec

from bascule.rego.complaints import place_of
from bascule.rego.evaluating import Engine, fresh_engine
from bascule.rego.messages import Inspected
from bascule.rego.supplied import REFUSED
from bascule.rego.syntax import Contents, contents_of, endless

DATA: Final = "data.json"
_MOST_FAULTS: Final = 20
_NAME: Final = re.compile(r"(?!data\.)[A-Za-z_]\w*(\.\w+)*", re.ASCII)
_STATIC: Final = ("is unsafe", "recursion detected", "could not find function")
"""Complaints about a module itself that the engine makes only as it evaluates it."""

_Fault = tuple[str, int, int, str]


def inspect(modules: Mapping[str, str], data: str) -> Inspected:
    """What is in `modules`, by their names, and in `data`, a JSON text, and what is wrong."""
    engine = fresh_engine()
    engine.add_extension("time.now_ns", 0, lambda: 0)
    faults = [*_parsed(engine, modules), *_with_data(engine, data)]
    if faults:
        return _inspected(faults)
    tree = cast("list[Any]", msgspec.json.decode(engine.get_ast_as_json()))
    contents = contents_of(tree)
    missing = [*_unknown(contents), *_conflicts(contents, data), *_circles(contents)]
    return _inspected(
        [*missing, *(() if missing else _evaluated(engine, contents))],
        msgspec.json.encode(tree),
        {one.path for one in contents.rules},
        {one.name for one in contents.calls if not one.name.startswith("data.")},
    )


def _inspected(
    faults: list[_Fault], ast: bytes = b"[]", rules: Iterable[str] = (), calls: Iterable[str] = ()
) -> Inspected:
    kept = tuple(dict.fromkeys(faults))[:_MOST_FAULTS]
    return Inspected(kept, ast, tuple(sorted(rules)), tuple(sorted(calls)))


def _parsed(engine: Engine, modules: Mapping[str, str]) -> Iterator[_Fault]:
    for name in sorted(modules):
        try:
            engine.add_policy(name, modules[name])
        except RuntimeError as error:
            _, line, column, why = place_of(error)
            yield name, line, column, why


def _with_data(engine: Engine, data: str) -> Iterator[_Fault]:
    try:
        engine.add_data_json(data)
    except RuntimeError as error:
        yield DATA, 0, 0, place_of(error)[3]


def _unknown(contents: Contents) -> Iterator[_Fault]:
    """Functions that nobody defines: the engine would say so only where one is called."""
    known: dict[str, bool] = {}
    for call in contents.calls:
        name = call.name
        if name in contents.functions:
            continue
        if name in REFUSED:
            yield call.file, call.line, call.column, f"{name} is not available: {REFUSED[name][1]}"
            continue
        if name not in known:
            known[name] = _NAME.fullmatch(name) is not None and _is_built_in(name)
        if not known[name]:
            why = f"there is no function {name}, or not in the embedded engine"
            yield call.file, call.line, call.column, why


def _is_built_in(name: str) -> bool:
    """Whether the engine knows it; it is called with too few arguments to do anything."""
    engine = fresh_engine()
    engine.add_extension("time.now_ns", 0, lambda: 0)
    try:
        engine.add_policy("probe.rego", f"package probe\nanswer := {name}({{}})\n")
        engine.eval_rule("data.probe.answer")
    except RuntimeError as error:
        return "could not find function" not in str(error)
    return True


def _conflicts(contents: Contents, data: str) -> Iterator[_Fault]:
    """Data where a rule is: the engine would take the data, and never ask the rule."""
    root = cast("object", msgspec.json.decode(data))
    for rule in contents.rules:
        if _hides(root, rule.path.split(".")[1:]):
            why = f"the data has a value at {rule.path}, where this rule is; remove one of them"
            yield rule.file, rule.line, rule.column, why


def _hides(value: object, path: list[str]) -> bool:
    for step in path:
        if not isinstance(value, dict):
            return True
        members = cast("dict[str, object]", value)
        if step not in members:
            return False
        value = members[step]
    return True


def _circles(contents: Contents) -> Iterator[_Fault]:
    if call := endless(contents):
        yield call.file, call.line, call.column, f"{call.caller} calls itself, which has no end"


def _evaluated(engine: Engine, contents: Contents) -> Iterator[_Fault]:
    """What only shows as rules are evaluated, without looking at what they answer."""
    engine.set_input_json("{}")
    for path in dict.fromkeys(one.path for one in contents.rules if not one.is_function):
        try:
            engine.eval_rule(path)
        except RuntimeError as error:
            file, line, column, why = place_of(error)
            if any(one in why for one in _STATIC):
                yield file, line, column, why
        except TypeError:
            pass  # it has a value, which Python cannot hold: a set of objects
        finally:
            engine.take_prints()
