"""Which parts of `input` an answer can depend on, found in the AST of a document.

An answer is a function of the values at these paths, and of when it is asked for where
`uses_time`. Where a part of `input` is only handed on (bound to a name, given to a function, the
value of a rule), what is done with it there decides; where the way is lost, all of it counts. So
the paths may be more or shorter than they have to be, and never too few.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, cast

from bascule.gateway.rego import PACKAGE
from bascule.policy.rego.builtins import is_known, is_volatile
from bascule.policy.rego.findings import Findings, extended
from bascule.policy.rego.inputs import Path
from bascule.policy.rego.syntax import (
    UNKNOWN,
    Definition,
    Node,
    NotUnderstood,
    Place,
    definitions_of,
    kind_of,
    name_of,
    statements_of,
    steps_of,
    trees_of,
)

_ENTRIES: Final = tuple((*PACKAGE.split("."), name) for name in ("allow", "reason"))
_MOST_BYTES: Final = 32 * 1024 * 1024
"""The AST of a page of Rego is half a megabyte of JSON; of more than this, nothing is found out."""
_MOST_ROUNDS: Final = 64


_PARTS: Final[dict[str, tuple[str, ...]]] = {
    "String": (),
    "RawString": (),
    "Number": (),
    "Bool": (),
    "Null": (),
    "Array": ("items",),
    "Set": ("items",),
    "ArrayCompr": ("term", "query"),
    "SetCompr": ("term", "query"),
    "ObjectCompr": ("key", "value", "query"),
    "UnaryExpr": ("expr",),
    "BinExpr": ("lhs", "rhs"),
    "BoolExpr": ("lhs", "rhs"),
    "ArithExpr": ("lhs", "rhs"),
    "AssignExpr": ("lhs", "rhs"),
    "Membership": ("key", "value", "collection"),
}
"""What an expression consists of whose value depends on all of its parts as wholes."""

_CLAUSES: Final[dict[str, tuple[str, ...]]] = {
    "SomeVars": (),
    "SomeIn": ("key", "value", "collection"),
    "Expr": ("expr",),
    "NotExpr": ("expr",),
    "Every": ("domain", "query"),
}


def reads_of(ast: str | bytes, sources: Mapping[str, str]) -> tuple[frozenset[Path] | None, bool]:
    """The paths of `input` that `allow` and `reason` may depend on, and `uses_time`.

    None: on all of it. `ast` is what the engine says of the modules whose texts are `sources`, by
    file name; those that are tests do not count.
    """
    if len(ast) > _MOST_BYTES:
        return None, True
    try:
        found = Findings(definitions_of(trees_of(ast), sources))
        _settle(found)
    except UNKNOWN:
        return None, True
    return found.reads(), found.is_volatile


def _settle(found: Findings) -> None:
    """Go through all definitions that an answer reaches, until nothing new is found."""
    before = -1
    for _ in range(_MOST_ROUNDS):
        for entry in _ENTRIES:
            found.read(found.look_up(entry, is_whole=True))
        for one in found.reached():
            _Visit(found, one).all()
        if before == (before := found.extent()):
            return
    raise NotUnderstood("definitions that do not settle")


class _Visit:
    """One time through one definition.

    Scopes within a definition are not told apart: a name stands for all that it ever stands for
    there, which is never too little.
    """

    def __init__(self, found: Findings, where: Definition) -> None:
        self._found = found
        self._where = where

    def all(self) -> None:
        """Look at every part of it."""
        for key in self._where.keys:
            self._use(key)
        for param in self._where.params or ():
            if name_of(param) is None:
                self._use(param)
        for query in self._where.queries:
            self._query(query)
        for value in self._where.values:
            self._found.give(self._where, self._aliases(value))

    def _query(self, query: Node) -> None:
        for literal, changes in statements_of(query):
            for change in changes:
                self._change(change)
            kind, fields = kind_of(literal)
            if kind not in _CLAUSES:
                raise NotUnderstood(f"a statement that is a {kind}")
            if kind == "Expr" and self._names(fields["expr"]):
                continue
            self._use_parts(fields, _CLAUSES[kind])

    def _names(self, node: Node) -> bool:
        """Whether `node` gives a name to a value (`x := …`); then the value is only handed on."""
        kind, fields = kind_of(node)
        if kind != "AssignExpr" or fields["op"] != "ColEq":
            return False
        name = name_of(fields["lhs"])
        if name is not None:
            self._found.bind(self._where, name, self._aliases(fields["rhs"]))
        return name is not None

    def _change(self, change: Node) -> None:
        """Look at `with … as …`: what is put in place of something counts as a whole.

        What is looked at there counts as if it was of the true input besides.
        """
        self._use(change["as"])
        for place in self._meant(change["refr"]):
            if place.root == "input":
                self._found.read([place.path] if len(place.path) > 1 else [])
            elif self._found.has_functions(place.path):
                raise NotUnderstood("a function in place of another one")

    def _meant(self, refr: Node) -> list[Place]:
        """What the target of `with` stands for."""
        head, steps = steps_of(refr)
        name = name_of(head)
        if name is None or not all(isinstance(one, str) for one in steps):
            raise NotUnderstood("a computed target")
        path = tuple(cast("list[str]", steps))
        places = [Place(one.root, one.path + path) for one in self._places(name)]
        if not places:
            raise NotUnderstood("a built-in function that is replaced")
        return places

    def _places(self, name: str) -> list[Place]:
        """What `name` may stand for besides a variable."""
        if name in {"input", "data"}:
            return [Place(name, ())]
        scope = self._where.scope
        imported = scope.imports.get(name)
        own = (*scope.package, name)
        places = [] if imported is None else [imported]
        return [*places, Place("data", own)] if self._found.has_rules(own) else places

    def _use(self, node: Node | Sequence[Node] | None) -> None:
        """Look at the whole value of an expression, or of several."""
        if isinstance(node, list):
            for one in node:
                self._use(one)
        elif node is not None:
            self._found.read(self._aliases(cast("Node", node)))

    def _use_parts(self, fields: Node, names: Iterable[str]) -> None:
        for name in names:
            if name == "query":
                self._query(fields[name])
            else:
                self._use(fields[name])

    def _aliases(self, node: Node) -> set[Path]:
        """The paths whose value the expression may hand on; what it looks at is noted."""
        self._found.spend()
        kind, fields = kind_of(node)
        if kind in {"Var", "RefDot", "RefBrack"}:
            return self._reference(node)
        if kind == "Call":
            return self._call(fields["fcn"], fields["params"])
        if kind == "Object":
            for _, key, value in fields["fields"]:
                self._use([key, value])
        elif kind in _PARTS:
            self._use_parts(fields, _PARTS[kind])
        else:
            raise NotUnderstood(f"an expression that is a {kind}")
        return set()

    def _reference(self, node: Node) -> set[Path]:
        head, steps = steps_of(node)
        computed = [one for one in steps if not isinstance(one, str)]
        self._use(computed)
        whole = not computed
        names = steps if whole else steps[: steps.index(computed[0])]
        path = tuple(cast("list[str]", names))
        name = name_of(head)
        if name is None:
            found = extended(self._aliases(head), path)
        else:
            found = extended(self._found.bound(self._where, name), path)
            for place in self._places(name):
                if place.root == "input":
                    found.add(place.path + path)
                else:
                    found |= self._found.look_up(place.path + path, is_whole=whole)
        if whole:
            return found
        self._found.read(found)
        return set()

    def _call(self, function: Node, arguments: Sequence[Node]) -> set[Path]:
        head, steps = steps_of(function)
        name = name_of(head)
        if name is None or not all(isinstance(one, str) for one in steps):
            raise NotUnderstood("a computed function")
        path = tuple(cast("list[str]", steps))
        dotted = ".".join((name, *path))
        found: set[Path] = set()
        is_own = False
        for place in self._places(name):
            for one in self._found.functions_at(place.path + path):
                is_own = True
                self._hand_over(one, arguments)
                found |= self._found.value_of(one.path)
                if len(arguments) > len(one.params or ()):
                    self._found.read(found)
        if not is_own or is_known(dotted):
            self._call_builtin(dotted, arguments)
        return found

    def _hand_over(self, function: Definition, arguments: Sequence[Node]) -> None:
        names = [name_of(one) for one in function.params or ()]
        for place, argument in enumerate(arguments):
            given = self._aliases(argument)
            name = names[place] if place < len(names) else None
            if name == "_":
                self._found.hold(given)
            elif name is None or names.count(name) > 1:
                self._found.read(given)
            else:
                self._found.bind(function, name, given)

    def _call_builtin(self, name: str, arguments: Sequence[Node]) -> None:
        if name == "time.now_ns":
            # The engine takes the time from the input, so that an answer can be remembered.
            self._found.read([("time_ns",)])
        elif is_volatile(name):
            self._found.is_volatile = True
        if name == "object.get" and len(arguments) == 3:
            keys = _keys_of(arguments[1])
            if keys is not None:
                self._found.read(extended(self._aliases(arguments[0]), keys))
                self._use(arguments[2])
                return
        self._use(list(arguments))


def _keys_of(node: Node) -> Path | None:
    """The fixed key, or path of keys, that `object.get` is given."""
    kind, fields = kind_of(node)
    nodes = fields["items"] if kind == "Array" else [node]
    keys = [kind_of(one) for one in nodes]
    if not all(kind in {"String", "RawString"} for kind, _ in keys):
        return None
    return tuple(fields["value"] for _, fields in keys)
