"""Each rule the checks enforce is broken once on purpose, in a copy, and must be named."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "bascule"
BIN = Path(sysconfig.get_path("scripts"))
PROJECT = ROOT / "pyproject.toml"

ROOMS = "Rooms depend downwards"
DATABASE_FREE = "The data plane is database-free"
NO_IO = "Protocol and policy decide; they do not do I/O"
STRANGERS = "API resources are strangers"
NO_CYCLES = "No cycles anywhere"

VIOLATIONS = [
    pytest.param(ROOMS, "gateway/verdict.py", "import bascule.settings.model", id="upwards"),
    pytest.param(ROOMS, "policy/access.py", "import bascule.identity.local", id="sibling"),
    pytest.param(ROOMS, "settings/model.py", "import bascule.app.ready", id="settings-read-app"),
    pytest.param(ROOMS, "newroom/__init__.py", "import json", id="room-nobody-placed"),
    pytest.param(DATABASE_FREE, "guards/schemas.py", "import sqlalchemy", id="sqlalchemy"),
    pytest.param(DATABASE_FREE, "transports/asgi.py", "import fastapi", id="fastapi"),
    pytest.param(
        DATABASE_FREE, "telemetry/logs.py", "import bascule.storage.tables", id="indirect"
    ),
    pytest.param(NO_IO, "protocol/codes.py", "import httpx2", id="protocol-httpx2"),
    pytest.param(NO_IO, "policy/access.py", "import asyncio", id="policy-asyncio"),
    pytest.param(
        STRANGERS,
        "api/resources/keys/service.py",
        "import bascule.api.resources.tools.service",
        id="resource-to-resource",
    ),
    pytest.param(NO_CYCLES, "gateway/tool.py", "import bascule.gateway.kernel", id="in-a-room"),
    pytest.param(NO_CYCLES, "protocol/codes.py", "import bascule.cli.main", id="between-rooms"),
]


def contracts() -> list[dict[str, Any]]:
    return tomllib.loads(PROJECT.read_text())["tool"]["importlinter"]["contracts"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The sources and their configuration, to be spoiled."""
    shutil.copytree(SRC, tmp_path / "src" / "bascule", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT, tmp_path)
    return tmp_path


def run(*command: str | Path, cwd: Path, environment: Mapping[str, str] | None = None) -> str:
    """The exit status, then everything the command printed."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return f"exit {done.returncode}\n{done.stdout}{done.stderr}"


def lint(tree: Path) -> str:
    command = (BIN / "lint-imports", "--config", "pyproject.toml", "--no-cache", "--no-logo")
    return run(*command, cwd=tree, environment={"PYTHONPATH": str(tree / "src")})


def append(path: Path, line: str) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write(f"\n{line}\n")


def test_untouched_sources_keep_every_contract(tree: Path) -> None:
    said = lint(tree)

    assert said.startswith("exit 0"), said
    assert "0 broken" in said
    for contract in contracts():
        assert f"{contract['name']} KEPT" in said


@pytest.mark.parametrize(("contract", "module", "line"), VIOLATIONS)
def test_one_wrong_import_breaks_the_contract_that_forbids_it(
    tree: Path, contract: str, module: str, line: str
) -> None:
    append(tree / "src" / "bascule" / module, line)

    said = lint(tree)

    assert said.startswith("exit 1"), said
    assert f"{contract} BROKEN" in said


def test_every_contract_of_the_project_is_broken_by_a_test() -> None:
    broken = {case.values[0] for case in VIOLATIONS}

    assert broken == {contract["name"] for contract in contracts()}


@pytest.mark.parametrize("name", [DATABASE_FREE, NO_IO])
def test_every_room_is_kept_from_every_module_its_contract_forbids(tree: Path, name: str) -> None:
    (contract,) = [one for one in contracts() if one["name"] == name]
    pairs = [(s, f) for s in contract["source_modules"] for f in contract["forbidden_modules"]]
    for source, forbidden in pairs:
        room = tree / "src" / source.replace(".", "/")
        append(room / "__init__.py", f"import {forbidden}")

    said = lint(tree)

    assert f"{name} BROKEN" in said
    assert [pair for pair in pairs if f"{pair[0]} -> {pair[1]}" not in said] == []


def sizes(folder: Path) -> str:
    return run(sys.executable, ROOT / "scripts" / "check_sizes.py", folder, cwd=ROOT)


def function(name: str, lines: int, docstring: str = "") -> str:
    body = ([f'    """{docstring}"""'] if docstring else []) + ["    x = 1"] * lines
    return "\n".join([f"def {name}() -> None:", *body, "", ""])


@pytest.mark.parametrize(("lines", "status"), [(499, 0), (500, 1)])
def test_a_file_of_five_hundred_lines_is_too_long(tmp_path: Path, lines: int, status: int) -> None:
    (tmp_path / "long.py").write_text("x = 1\n" * lines)

    said = sizes(tmp_path)

    assert said.startswith(f"exit {status}"), said
    assert ("long.py: 500 lines; split it" in said) == bool(status)


@pytest.mark.parametrize(("lines", "status"), [(59, 0), (60, 1)])
def test_a_function_of_sixty_lines_is_too_long(tmp_path: Path, lines: int, status: int) -> None:
    text = function("short", 2) + function("endless", lines, docstring="Not counted.")
    (tmp_path / "module.py").write_text(text)

    said = sizes(tmp_path)

    assert said.startswith(f"exit {status}"), said
    assert ("module.py:5: endless has 60 lines" in said) == bool(status)


def test_a_method_and_a_coroutine_are_measured_like_functions(tmp_path: Path) -> None:
    inner = function("endless", 60).replace("\n", "\n    ").replace("def", "async def")
    (tmp_path / "module.py").write_text(f"class One:\n    {inner}")

    assert "endless has 60 lines" in sizes(tmp_path)


@pytest.mark.parametrize(
    ("lengths", "complaint"),
    [
        ([11] * 12, "the median function has 11"),
        ([5] * 17 + [40] * 3, "one function in ten exceeds"),
        ([10] * 18 + [30] * 2, None),
    ],
)
def test_many_middling_functions_are_too_much_together(
    tmp_path: Path, lengths: list[int], complaint: str | None
) -> None:
    text = "".join(function(f"f{index}", lines) for index, lines in enumerate(lengths))
    (tmp_path / "module.py").write_text(text)

    said = sizes(tmp_path)

    assert said.startswith("exit 1" if complaint else "exit 0"), said
    assert complaint is None or complaint in said


def test_a_generated_file_may_be_long_and_says_that_it_is_generated(tmp_path: Path) -> None:
    (tmp_path / "tables.py").write_text("# Generated by a script.\n" + "x = 1\n" * 700)

    assert sizes(tmp_path).startswith("exit 0")


def twins(root: Path) -> str:
    script = ROOT / "scripts" / "check_twins.py"
    return run(sys.executable, script, root / "src", root / "unit", cwd=ROOT)


def plant(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("def act() -> int:\n    return 1\n")


def test_a_module_without_its_test_is_named(tmp_path: Path) -> None:
    plant(tmp_path, "src/policy/rules.py", "src/policy/access.py", "unit/policy/test_access.py")

    said = twins(tmp_path)

    assert said.startswith("exit 1")
    assert "src/policy/rules.py: no twin" in said
    assert "unit/policy/test_rules.py" in said
    assert "access" not in said.replace(str(tmp_path), "")


def test_a_test_without_its_module_is_named(tmp_path: Path) -> None:
    plant(tmp_path, "src/a.py", "unit/test_a.py", "unit/policy/test_gone.py")

    said = twins(tmp_path)

    assert said.startswith("exit 1")
    assert "unit/policy/test_gone.py: tests no module" in said
    assert "test_a.py" not in said


def test_a_module_that_only_declares_needs_no_test(tmp_path: Path) -> None:
    plant(tmp_path, "src/a.py", "unit/test_a.py")
    (tmp_path / "src" / "ports.py").write_text(
        'class Port:\n    def act(self) -> int:\n        """What it does."""\n        ...\n'
    )

    assert twins(tmp_path).startswith("exit 0")


def test_the_modules_of_a_resource_share_one_test(tmp_path: Path) -> None:
    keys = ("src/api/resources/keys/service.py", "src/api/resources/keys/endpoints.py")
    plant(tmp_path, *keys)

    before = twins(tmp_path)
    plant(tmp_path, "unit/api/resources/test_keys.py")

    assert before.count("no twin at") == 2
    assert twins(tmp_path).startswith("exit 0")


def test_the_project_itself_keeps_its_sizes() -> None:
    assert sizes(ROOT / "src").startswith("exit 0")


def ruff(snippet: str) -> str:
    done = subprocess.run(
        [BIN / "ruff", "check", "--config", PROJECT, "--no-cache", "--stdin-filename", "src/x.py"],
        input=f'"""A snippet."""\n\n{snippet}\n',
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return f"exit {done.returncode}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize(
    ("snippet", "advice"),
    [
        ("import asyncio\n\nSTART = asyncio.create_task", "Use asyncio.TaskGroup"),
        ("from datetime import datetime\n\nNOW = datetime.utcnow", r"Use datetime.now(UTC)"),
        ("import requests\n\nGET = requests.get", "Use httpx2 in commands"),
    ],
    ids=["create_task", "utcnow", "requests"],
)
def test_a_banned_name_is_refused_with_what_to_use_instead(snippet: str, advice: str) -> None:
    said = ruff(snippet)

    assert said.startswith("exit 1")
    assert "TID251" in said
    assert advice in said


@pytest.mark.parametrize(
    ("snippet", "rule"),
    [
        ("def f(a: int, b: int, c: int, d: int, e: int, f: int, g: int) -> None: ...", "PLR0913"),
        ("def f(on: bool) -> bool:\n    return on", "FBT001"),
        ("try:\n    X = 1\nexcept Exception:\n    X = 2", "BLE001"),
        (
            "\n".join(["def f(x: int) -> int:", *(f"    if x > {n}: x -= 1" for n in range(11))]),
            "C901",
        ),
    ],
)
def test_the_rules_of_style_are_switched_on(snippet: str, rule: str) -> None:
    assert rule in ruff(snippet)


def test_a_clean_snippet_passes_so_that_the_refusals_above_mean_something() -> None:
    assert ruff("def f(x: int) -> int:\n    return x").startswith("exit 0")


@pytest.fixture
def typed(tmp_path: Path) -> Path:
    """A tree with the project's type-checking settings and one well-typed module."""
    package = tmp_path / "src" / "bascule"
    package.mkdir(parents=True)
    (package / "one.py").write_text("def double(x: int) -> int:\n    return 2 * x\n")
    shutil.copy(PROJECT, tmp_path)
    (tmp_path / ".venv").symlink_to(BIN.parent)
    return tmp_path


def test_an_untyped_function_does_not_pass_the_type_check(typed: Path) -> None:
    module = typed / "src" / "bascule" / "one.py"
    clean = run(BIN / "pyright", "--project", typed, cwd=typed)
    append(module, "def half(x):\n    return x // 2")

    spoiled = run(BIN / "pyright", "--project", typed, cwd=typed)

    assert clean.startswith("exit 0"), clean
    assert spoiled.startswith("exit 1"), spoiled
    assert "reportMissingParameterType" in spoiled
