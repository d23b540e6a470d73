"""Each rule the checks enforce is broken once on purpose, in a copy, and must be named."""

import shutil
import subprocess
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import pytest

from fakes.commands import run

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
