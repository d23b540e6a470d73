"""What modules define and call, read from the engine's syntax tree."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

Node: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A call of `name`, written at this place, within the rule `caller`.

    `name` is the full path (`data.lib.f`) where it cannot be a built-in function.
    """

    name: str
    file: str
    line: int
    column: int
    caller: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A definition: its full path up to what is computed of it."""

    path: str
    file: str
    line: int
    column: int
    is_function: bool


@dataclass(frozen=True, slots=True)
class Contents:
    """All definitions and calls of some modules, and the full paths of those that are functions."""

    rules: tuple[Rule, ...]
    calls: tuple[Call, ...]

    functions: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Scope:
    """What names mean in a module: its package's full path, and the full path of each import."""

    package: str
    imports: Mapping[str, str]


def contents_of(modules: list[Node]) -> Contents:
    """What `modules` define and call."""
    rules: list[Rule] = []
    called: list[tuple[_Scope, Node, Rule]] = []
    for module in modules:
        scope = _Scope(f"data.{_path(module['ast']['package']['refr'])}", _imports(module))
        for node in module["ast"]["rules"]:
            rule = _rule(node, scope.package, module["source"]["file"])
            rules.append(rule)
            called += [(scope, one, rule) for one in _calls(node)]
    paths = frozenset(one.path for one in rules)
    calls = [_call(node, rule, scope, paths) for scope, node, rule in called]
    functions = frozenset(one.path for one in rules if one.is_function)
    return Contents(tuple(rules), tuple(calls), functions)


def endless(contents: Contents) -> Call | None:
    """A call through which a function calls itself, perhaps by way of others; None without one."""
    onward: dict[str, list[Call]] = {}
    functions = contents.functions
    for call in contents.calls:
        if call.name in functions and call.caller in functions:
            onward.setdefault(call.caller, []).append(call)
    done: set[str] = set()
    for start in sorted(onward):
        if found := _circle(start, onward, done):
            return found
    return None


def _circle(start: str, onward: Mapping[str, list[Call]], done: set[str]) -> Call | None:
    """Depth first, with a stack of its own: what is inspected may be as deep as it likes."""
    path: list[tuple[str, Iterator[Call]]] = [(start, iter(onward.get(start, ())))]
    on_path = {start}
    while path:
        name, rest = path[-1]
        call = next(rest, None)
        if call is None:
            path.pop()
            on_path.discard(name)
            done.add(name)
        elif call.name in on_path:
            return call
        elif call.name not in done:
            on_path.add(call.name)
            path.append((call.name, iter(onward.get(call.name, ()))))
    return None


def _rule(node: Node, package: str, file: str) -> Rule:
    kind, fields = next(iter(node.items()))
    span = fields["span"]
    form, head = ("Default", fields) if kind == "Default" else next(iter(fields["head"].items()))
    is_function = form == "Func" or bool(form == "Default" and fields["args"])
    path = f"{package}.{_path(head['refr'])}"
    return Rule(path, file, span["line"], span["col"], is_function)


def _calls(node: object) -> Iterator[Node]:
    """Every call in `node`, at any depth."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            fields = cast("dict[str, Any]", one)
            call = fields.get("Call")
            if isinstance(call, dict):
                yield cast("Node", call)
            waiting += fields.values()
        elif isinstance(one, list):
            waiting += cast("list[Any]", one)


_LANGUAGE: Final = ("rego", "future")


def _call(node: Node, rule: Rule, scope: _Scope, paths: frozenset[str]) -> Call:
    span = node["span"]
    name = _path(node["fcn"])
    head, _, rest = name.partition(".")
    imported = scope.imports.get(head)
    if f"{scope.package}.{name}" in paths:
        name = f"{scope.package}.{name}"
    elif imported is not None:
        name = f"{imported}.{rest}" if rest else imported
    return Call(name, rule.file, span["line"], span["col"], rule.path)


def _imports(module: Node) -> dict[str, str]:
    """The full path for each name that a module imports."""
    found: dict[str, str] = {}
    source = str(module["source"]["contents"]).encode()
    for one in module["ast"]["imports"]:
        path = _path(one["refr"])
        if path.partition(".")[0] in _LANGUAGE:
            continue
        name = path.rpartition(".")[2]
        if span := one.get("as"):
            name = source[span["start"] : span["end"]].decode()
        found[name] = path
    return found


def _path(node: Node) -> str:
    """A reference as it would be written, up to what is computed of it."""
    steps: list[str] = []
    while True:
        kind, fields = next(iter(node.items()))
        if kind == "RefDot":
            steps.append(fields["field"][1])
        elif kind == "RefBrack":
            inner, value = next(iter(fields["index"].items()))
            if inner in {"String", "RawString"}:
                steps.append(value["value"])
            else:
                steps.clear()
        else:
            steps.append(str(fields.get("value", "")))
            return ".".join(reversed(steps))
        node = fields["refr"]
