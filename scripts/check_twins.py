"""Every module in src has its unit test: `python scripts/check_twins.py [SRC TESTS]`.

`src/bascule/policy/access.py` needs `tests/unit/policy/test_access.py`, and a unit test without
its module is a leftover. Modules that hold only declarations need none, as do migrations; whole
modules tested from elsewhere are named below with the place. The modules of one REST resource
share a test: `api/resources/keys/` has `tests/unit/api/resources/test_keys.py`.
"""

import ast
import sys
from pathlib import Path

ELSEWHERE = {
    "__main__.py": "tests/e2e: the installed command is run",
}
EXEMPT_FOLDERS = (
    "storage/migrations/",
    "cli/servers/",  # what the serving commands run: tests/e2e
    "app/",  # the composition: tests/integration and tests/e2e run it as a whole
)
SHARED = "api/resources/"
EXTRA_TESTS = ("conftest.py",)


def only_declares(path: Path) -> bool:
    """True where no function has a body worth testing: types, constants, protocols, tables."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            if any(not _is_placeholder(statement) for statement in body):
                return False
    return True


def _is_placeholder(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def missing_twins(src: Path, tests: Path) -> list[str]:
    """Modules with behaviour but no twin."""
    complaints: list[str] = []
    for path in sorted(src.rglob("*.py")):
        name = path.relative_to(src).as_posix()
        if name in ELSEWHERE or name.startswith(EXEMPT_FOLDERS) or only_declares(path):
            continue
        twin = tests / _twin(name)
        if not twin.exists():
            complaints.append(f"{path}: no twin at {twin}")
    return complaints


def _twin(name: str) -> Path:
    module = Path(name)
    if name.startswith(SHARED):
        return module.parent.parent / f"test_{module.parent.name}.py"
    stem = module.stem if module.stem != "__init__" else module.parent.name
    return module.parent / f"test_{stem.strip('_')}.py"


def orphans(src: Path, tests: Path) -> list[str]:
    """Unit tests whose module is gone."""
    complaints: list[str] = []
    for path in sorted(tests.rglob("test_*.py")):
        folder = src / path.relative_to(tests).parent
        stem = path.stem.removeprefix("test_")
        candidates = (folder / f"{stem}.py", folder / f"__{stem}__.py", folder / stem)
        if not any(one.exists() for one in candidates) and folder.name != stem:
            complaints.append(f"{path}: tests no module of {folder}")
    return complaints


def main(arguments: list[str]) -> int:
    """Print every complaint; exit status 1 if there is one."""
    src, tests = (
        (Path(arguments[0]), Path(arguments[1]))
        if arguments
        else (Path("src/bascule"), Path("tests/unit"))
    )
    complaints = missing_twins(src, tests) + orphans(src, tests)
    print("\n".join(complaints) or "twins: every module has its test")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
