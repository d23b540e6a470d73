"""A filled registry is what an import would make of it, the same every time."""

import subprocess
import sys
from pathlib import Path

import msgspec

from bascule.guards.schemas import InputSchemas
from bascule.storage.compiler import compile_snapshot
from bascule.storage.database import open_database
from bench.registry import TOOLS_PER_SERVICE, make_tools, service_of

ROOT = Path(__file__).resolve().parents[2]


def test_a_number_always_gives_the_same_tool() -> None:
    assert list(make_tools(20, 990)) == list(make_tools(30, 985))[5:25]
    names = [tool.name for tool in make_tools(2000)]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 64 for name in names)
    assert service_of(0) == service_of(TOOLS_PER_SERVICE - 1) != service_of(TOOLS_PER_SERVICE)


def test_schemas_are_of_the_size_and_kind_of_real_ones() -> None:
    schemas = InputSchemas()
    sizes = [len(msgspec.json.encode(tool.input_schema)) for tool in make_tools(200)]
    assert 500 < sum(sizes) / len(sizes) < 1500
    for tool in make_tools(200):
        assert schemas.compile(tool.input_schema).is_valid({"id": "x"})


async def test_the_command_fills_a_data_directory(tmp_path: Path) -> None:
    data = tmp_path / "data"
    command = [sys.executable, "-m", "bench.registry", "--data", str(data), "--tools", "600"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=True)
    assert b"600 tools in" in done.stdout
    async with (
        open_database(f"sqlite+aiosqlite:///{data / 'bascule.db'}") as database,
        database.read() as session,
    ):
        view = (await compile_snapshot(session)).tenants["default"]
    made = {tool.name: tool for tool in make_tools(600)}
    assert view.tools.keys() == made.keys()
    assert all(tool.input_schema == made[name].input_schema for name, tool in view.tools.items())
    assert view.bundles.keys() == {service_of(0), service_of(599)}
