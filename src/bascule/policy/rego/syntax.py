"""What modules define, as far as the analysis asks, from the syntax trees the engine gives."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

import msgspec

from bascule.policy.rego.inputs import Path

Node: TypeAlias = Mapping[str, Any]
"""An expression: its kind, and the fields of that kind."""

TEST_SUFFIX: Final = "_test.rego"
"""How the names of modules end that are not loaded to decide."""

_WORDS: Final = frozenset({"rego", "future"})
"""What imports begin with that name no value but a version of the language."""

_modules: Final = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_items: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
_value: Final = msgspec.json.Decoder(Any).decode

_VERSION: Final = 1
"""Of the engine's syntax trees."""

_ABOUT: Final = frozenset({"span", "eidx", "sidx", "qidx"})
"""Fields that say where something is, not what."""

_VALUE: Final = ({"value"},)
_SIDES: Final = ({"op", "lhs", "rhs"},)
_FIELDS: Final[Mapping[str, tuple[set[str], ...]]] = {
    "ArithExpr": _SIDES,
    "Array": ({"items"},),
    "ArrayCompr": ({"term", "query"},),
    "AssignExpr": _SIDES,
    "BinExpr": _SIDES,
    "Bool": _VALUE,
    "BoolExpr": _SIDES,
    "Call": ({"fcn", "params"},),
    "Compr": ({"refr", "assign"},),
    "Default": ({"refr", "args", "op", "value"},),
    "Every": ({"key", "value", "domain", "query"},),
    "Expr": ({"expr"},),
    "Func": ({"refr", "args", "assign"},),
    "Membership": ({"key", "value", "collection"},),
    "NotExpr": ({"expr"},),
    "Null": _VALUE,
    "Number": _VALUE,
    "Object": ({"fields"},),
    "ObjectCompr": ({"key", "value", "query"},),
    "RawString": _VALUE,
    "RefBrack": ({"refr", "index"},),
    "RefDot": ({"refr", "field"},),
    "Set": ({"items"}, {"refr", "key"}),
    "SetCompr": ({"term", "query"},),
    "SomeIn": ({"key", "value", "collection"},),
    "SomeVars": ({"vars"},),
    "Spec": ({"head", "bodies"},),
    "String": _VALUE,
    "UnaryExpr": ({"expr"},),
    "Var": _VALUE,
}
"""What each kind of node is made of. The engine may learn more: then this has to, too."""


class NotUnderstood(Exception):
    """The AST holds something that is not known here."""


UNKNOWN: Final = (
    NotUnderstood,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    RecursionError,
)
"""What comes of reading a tree that is of another form than is known."""


@dataclass(frozen=True, slots=True)
class Place:
    """A path in `input` or in `data`."""

    root: str
    path: Path


@dataclass(frozen=True, slots=True)
class Scope:
    """What the names of a module stand for besides its variables and rules."""

    package: Path
    imports: Mapping[str, Place]


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """One definition of a rule or function. `path` is its place in `data`, as far as it is fixed.

    `keys` are the parts of its head that are computed, `values` what it is equal to, those of its
    `else` included. `is_plain` says that it has one value at a place that is fixed as a whole.
    """

    scope: Scope
    path: Path
    params: tuple[Node, ...] | None
    keys: tuple[Node, ...]
    values: tuple[Node, ...]
    queries: tuple[Node, ...]
    is_plain: bool


def definitions_of(modules: list[Node], sources: Mapping[str, str]) -> Iterator[Definition]:
    """Everything that the modules define which decide; `sources` are their texts by file name.

    Raises:
        NotUnderstood: a module has a part that is not known here.
    """
    for module in modules:
        file = str(_node(module, "source").get("file"))
        if file.endswith(TEST_SUFFIX):
            continue
        if module.get("version") != _VERSION:
            raise NotUnderstood("another version of the syntax tree")
        ast = _node(module, "ast")
        scope = _scope(ast, sources.get(file))
        for rule in _list(ast, "rules"):
            yield _definition(rule, scope)


@dataclass(frozen=True, slots=True)
class Riddle:
    """A part of a module that is not known here. `line` counts from 1; 0 is not known."""

    file: str
    line: int
    why: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


def heads_of(modules: list[Node]) -> Iterator[tuple[str, Definition | Riddle]]:
    """Everything that all modules define, tests included, each with the name of its file.

    Nothing is known of what imports stand for. What is not known at all is there as a riddle, so
    that the rest can be gone by.

    Raises:
        NotUnderstood: not even the names of the files are known.
    """
    for module in modules:
        file = str(_node(module, "source").get("file"))
        try:
            ast = _node(module, "ast")
            scope, rules = Scope(_fixed(_node(ast, "package")), {}), _list(ast, "rules")
        except UNKNOWN as fault:
            yield file, Riddle(file, 0, str(fault))
            continue
        for rule in rules:
            try:
                yield file, _definition(rule, scope)
            except UNKNOWN as fault:
                yield file, Riddle(file, _line_of(rule), str(fault))


def _line_of(rule: object) -> int:
    """The line of a rule of whatever form, if it has one."""
    fields: object = rule
    for _ in range(2):
        if isinstance(fields, dict):
            members = cast("dict[str, Any]", fields)
            span = members.get("span")
            if isinstance(span, dict):
                line = cast("dict[str, Any]", span).get("line")
                return line if isinstance(line, int) else 0
            fields = next(iter(members.values()), None)
    return 0


def kind_of(node: Node) -> tuple[str, Any]:
    """The kind of an expression, and its fields: exactly those that are known of the kind.

    Raises:
        NotUnderstood: the kind is not known, or has other fields.
    """
    for kind, fields in node.items():
        if len(node) == 1 and fields.keys() - _ABOUT in _FIELDS.get(kind, ()):
            return kind, fields
    raise NotUnderstood(f"a node of {sorted(node)}")


def statements_of(query: Node) -> Iterator[tuple[Node, list[Node]]]:
    """Each statement of a query, with what `with` puts in place of something there.

    Raises:
        NotUnderstood: it has more parts than are known here.
    """
    for statement in _list(query, "stmts"):
        if statement.keys() - _ABOUT - {"literal", "with_mods"}:
            raise NotUnderstood(f"a statement of {sorted(statement)}")
        changes = _list(statement, "with_mods") if "with_mods" in statement else []
        if any(one.keys() - _ABOUT != {"refr", "as"} for one in changes):
            raise NotUnderstood("an odd change")
        yield _node(statement, "literal"), changes


def trees_of(text: str | bytes) -> list[Node]:
    """The tree of each module in the JSON that the engine gives.

    Rule by rule, since all of a large one at once would hold up every other thread for a second.

    Raises:
        ValueError: it is no such JSON.
    """
    return [_tree(module) for module in _modules(text)]


def _tree(module: Mapping[str, msgspec.Raw]) -> Node:
    found: dict[str, Any] = {name: _value(one) for name, one in module.items() if name != "ast"}
    if "ast" in module:
        parts = _members(module["ast"])
        tree = {name: _value(one) for name, one in parts.items() if name != "rules"}
        if "rules" in parts:
            tree["rules"] = [_value(rule) for rule in _items(parts["rules"])]
        found["ast"] = tree
    return found


def steps_of(node: Node) -> tuple[Node, list[str | Node]]:
    """A reference taken apart: what it begins with, and each step: a name, or an expression."""
    steps: list[str | Node] = []
    while True:
        kind, fields = kind_of(node)
        if kind == "RefDot":
            field = fields["field"]
            steps.append(field[1])
        elif kind == "RefBrack":
            index = fields["index"]
            inner, value = kind_of(index)
            steps.append(value["value"] if inner in {"String", "RawString"} else index)
        else:
            return node, steps[::-1]
        node = fields["refr"]


def name_of(node: Node) -> str | None:
    """The name of a variable; None for all other expressions."""
    kind, fields = kind_of(node)
    return fields["value"] if kind == "Var" else None


def _scope(ast: Node, source: str | None) -> Scope:
    imports: dict[str, Place] = {}
    for one in _list(ast, "imports"):
        root, *path = _fixed(one)
        if root in _WORDS:
            continue
        if root not in {"input", "data"}:
            raise NotUnderstood(f"an import of {root}")
        imports[_given_name(one, source) or (path or [root])[-1]] = Place(root, tuple(path))
    return Scope(_fixed(_node(ast, "package")), imports)


def _given_name(one: Node, source: str | None) -> str:
    """The name behind `as`, which the tree has only the place of; empty where there is none."""
    span = one.get("as")
    if span is None:
        return ""
    if source is None:
        raise NotUnderstood("a name without its text")
    name = source.encode()[span["start"] : span["end"]].decode()
    if not name.isidentifier():
        raise NotUnderstood("a name that is none")
    return name


def _fixed(node: Node) -> Path:
    """The names in the reference of a package or an import."""
    head, steps = steps_of(_node(node, "refr"))
    names = [name_of(head), *steps]
    if not all(isinstance(one, str) for one in names):
        raise NotUnderstood("a computed package or import")
    return tuple(cast("list[str]", names))


def _definition(rule: Node, scope: Scope) -> Definition:
    kind, fields = kind_of(rule)
    if kind == "Default":
        path, keys = _head_path(fields["refr"])
        values = (fields["value"],)
        params = tuple(fields["args"]) or None
        return Definition(scope, scope.package + path, params, keys, values, (), is_plain=False)
    if kind != "Spec":
        raise NotUnderstood(f"a rule that is a {kind}")
    form, head = kind_of(fields["head"])
    if form not in {"Compr", "Set", "Func"}:
        raise NotUnderstood(f"a head that is a {form}")
    path, keys = _head_path(head["refr"])
    bodies = _list(fields, "bodies")
    if any(one.keys() - _ABOUT != {"assign", "is_else", "query"} for one in bodies):
        raise NotUnderstood("an odd body")
    if form == "Set":
        keys = (*keys, *([head["key"]] if head["key"] else []))
    assigned = [head.get("assign"), *(body["assign"] for body in bodies)]
    return Definition(
        scope,
        scope.package + path,
        tuple(head["args"]) if form == "Func" else None,
        keys,
        tuple(one["value"] for one in assigned if one is not None),
        tuple(body["query"] for body in bodies),
        is_plain=not keys and form != "Set" and sum(not one["is_else"] for one in bodies) <= 1,
    )


def _head_path(refr: Node) -> tuple[Path, tuple[Node, ...]]:
    """The fixed part of a head, and what is computed behind it."""
    head, steps = steps_of(refr)
    name: object = name_of(head)
    if not isinstance(name, str):
        raise NotUnderstood("a head without a name")
    fixed = [name]
    for place, step in enumerate(steps):
        if not isinstance(step, str):
            rest = steps[place:]
            return tuple(fixed), tuple(one for one in rest if not isinstance(one, str))
        fixed.append(step)
    return tuple(fixed), ()


def _node(node: Node, name: str) -> Node:
    found = node.get(name)
    if not isinstance(found, dict):
        raise NotUnderstood(f"no {name}")
    return cast("Node", found)


def _list(node: Node, name: str) -> list[Node]:
    found = node.get(name)
    if not isinstance(found, list):
        raise NotUnderstood(f"no {name}")
    return cast("list[Node]", found)
