"""Keep tenants apart where statements are written: `python scripts/check_tenants.py [SRC]`.

`bascule.storage.tenancy` limits every statement as it runs. This reads the code before it runs:

- a `select`, `update`, `delete` or `insert` on a row class that belongs to tenants names the
  tenant's column in the same statement, or says in a comment `# tenant: WHY` that it need not;
- `text(...)` is SQL that nobody limits: it says `:tenant_id`, or why not;
- only the modules in `ACROSS` reach across tenants, each for the reason written there;
- rows stay in `storage`.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ACROSS: Final = {
    "storage/compiler.py": "compiles the views of all tenants into one snapshot",
    "storage/database.py": "opens sessions, and lets migrations alter every table",
    "storage/repositories/administrators.py": "who administers the system may be in any tenant",
    "storage/repositories/issuers.py": "one issuer exists once, and may lead to several tenants",
    "api/resources/secrets/service.py": "seals every tenant's secrets with the newest key",
}
"""Who may reach across tenants, by path in the package, and what for."""
COMPILING: Final = {
    "storage/compiler.py": "is one block across tenants",
    "storage/database.py": "has statements of its own only",
    "storage/reading.py": "selects tools of all tenants for the compiler",
    "storage/stock.py": "reads tools of all tenants for the compiler",
    "storage/selections.py": "reads the bundles of one tenant, or of all for the compiler",
}
"""Modules whose statements run within the compiler's block."""
GATES: Final = frozenset({"across_tenants", "unlimited", "open_session"})
VERBS: Final = frozenset({"select", "update", "delete", "insert"})
OWNING: Final = frozenset({"Owned", "OfTenant"})
COLUMN: Final = "tenant_id"
EXCUSE: Final = "# tenant: "
SKIPPED: Final = ("storage/migrations/", "storage/tenancy.py")


def owned_rows(package: Path) -> frozenset[str]:
    """The names of the row classes that belong to tenants."""
    classes = [
        node
        for path in sorted((package / "storage").glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    ]
    bases = {node.name: {ast.unparse(base) for base in node.bases} for node in classes}
    return frozenset(name for name, of in bases.items() if of & OWNING and name not in OWNING)


def check_module(path: Path, place: str, rows: frozenset[str]) -> Iterator[str]:
    """Complaints about one module; `place` is its path in the package."""
    text = path.read_text()
    tree = ast.parse(text)
    is_storage = place.startswith("storage/")
    for name, line in _imported(tree):
        if name in GATES and place not in ACROSS:
            yield f"{path}:{line}: reaches across tenants ({name}); see ACROSS in check_tenants.py"
        if name in rows and not is_storage:
            yield f"{path}:{line}: {name} leaves storage; use a repository"
    if is_storage and place not in COMPILING:
        yield from _check_statements(path, tree, text.splitlines(), rows)


def _imported(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((alias.name, node.lineno) for alias in node.names)


def _check_statements(
    path: Path, tree: ast.Module, lines: list[str], rows: frozenset[str]
) -> Iterator[str]:
    known = _naming_tenant(tree)
    for whole in _simple_statements(tree):
        excused = any(EXCUSE in line for line in lines[whole.lineno - 1 : whole.end_lineno])
        if excused or _names_tenant(whole) or _names(whole) & known:
            continue
        for call in ast.walk(whole):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
                continue
            verb, named = call.func.id, _names(call) & rows
            if verb in VERBS and named:
                told = f"{verb}({', '.join(sorted(named))})"
                yield f"{path}:{call.lineno}: {told} without {COLUMN}"
            elif verb == "text" and not path.stem.endswith("tables"):  # there, of indexes
                yield f"{path}:{call.lineno}: text(...) without :{COLUMN}"


def _simple_statements(tree: ast.AST) -> Iterator[ast.stmt | ast.expr]:
    """Statements that hold no others, and the heads of those that do; none within a block across
    tenants.
    """
    waiting = list(ast.iter_child_nodes(tree))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.AsyncWith) and _reaches_across(node):
            continue
        if isinstance(node, ast.stmt) and not hasattr(node, "body"):
            yield node
            continue
        if isinstance(node, ast.expr):
            yield node
            continue
        waiting += ast.iter_child_nodes(node)


def _reaches_across(block: ast.AsyncWith) -> bool:
    return any("across_tenants" in _names(item.context_expr) for item in block.items)


def _naming_tenant(tree: ast.Module) -> frozenset[str]:
    """Variables that hold a condition on the tenant, and functions that return one."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Assign | ast.AnnAssign)
            and node.value
            and _names_tenant(node.value)
        ):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {one.id for one in targets if isinstance(one, ast.Name)}
        elif isinstance(node, ast.FunctionDef):
            returned = [one for one in ast.walk(node) if isinstance(one, ast.Return)]
            if returned and all(map(_names_tenant, returned)):
                found.add(node.name)
    return frozenset(found)


def _names(node: ast.AST) -> frozenset[str]:
    """Variables, and functions that are called, methods too."""
    called = [one.func for one in ast.walk(node) if isinstance(one, ast.Call)]
    methods = (one.attr for one in called if isinstance(one, ast.Attribute))
    return frozenset(one.id for one in ast.walk(node) if isinstance(one, ast.Name)) | {*methods}


def _names_tenant(node: ast.AST) -> bool:
    """Whether the column is compared or given a value, or SQL names its parameter."""
    return any(
        (isinstance(one, ast.Compare) and any(map(_is_column, ast.walk(one))))
        or (isinstance(one, ast.keyword) and one.arg == COLUMN)
        or (isinstance(one, ast.Constant) and f":{COLUMN}" in str(one.value))
        for one in ast.walk(node)
    )


def _is_column(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == COLUMN


def main(arguments: list[str]) -> int:
    """Print every complaint; exit status 1 if there is one."""
    package = Path((arguments or ["src"])[0]) / "bascule"
    rows = owned_rows(package)
    complaints: list[str] = []
    for path in sorted(package.rglob("*.py")):
        place = path.relative_to(package).as_posix()
        if not place.startswith(SKIPPED):
            complaints += check_module(path, place, rows)
    for place in sorted({*ACROSS, *COMPILING}):
        if len(arguments) == 0 and not (package / place).exists():
            complaints.append(f"{place}: is named in check_tenants.py, but is not there")
    print("\n".join(complaints) or f"tenants: {len(rows)} kinds of rows kept apart")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
