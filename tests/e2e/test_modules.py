"""WebAssembly modules become tools: imported, called, bounded, changed and rolled back."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.instances import Instance, bascule_here, serving
from fakes.modules import GOOD, MANIFEST, module

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "webassembly-tools.md"


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    limits = {"sandbox.max_fuel": "50000000"}
    with serving(tmp_path_factory.mktemp("modules") / "data", settings=limits) as one:
        with one.api() as client:
            rule = {"name": "text", "effect": "allow", "roles": ["user"], "bundles": ["text"]}
            assert client.post("/api/admin/policies", json=rule).status_code == 201
        yield one


def imported(instance: Instance, folder: Path, content: bytes, manifest: bytes, *words: str):
    (folder / "text.wasm").write_bytes(content)
    (folder / "text.yaml").write_bytes(manifest)
    return bascule_here(
        "import", "wasm", folder / "text.wasm", "--manifest", folder / "text.yaml",
        "--bundle", "text", *words, "--data", instance.data, "-o", "json",
    )  # fmt: skip


def test_a_module_is_previewed_published_called_changed_and_rolled_back(
    instance: Instance, tmp_path: Path
) -> None:
    preview = imported(instance, tmp_path, module(), MANIFEST, "--dry-run").value
    assert [tool["name"] for tool in preview["tools"]] == ["echo", "spin"]
    assert "isError" in instance.call("echo", a=1).text or "error" in instance.call("echo").json()
    assert imported(instance, tmp_path, module(), MANIFEST, "--publish").value["published"]

    answer = instance.call("echo", text="hello").json()["result"]
    assert answer["structuredContent"] == {"text": "hello"}
    stuck = instance.call("spin").json()["result"]
    assert stuck["isError"]
    assert "computed longer" in stuck["content"][0]["text"]
    assert instance.call("echo", text="still").json()["result"]["structuredContent"]

    same = imported(instance, tmp_path, module(), MANIFEST, "--publish").value
    assert not same["changed"]
    other = module(GOOD.replace('(i32.const 64) "not json"', '(i32.const 64) "nothing!"'))
    changed = imported(instance, tmp_path, other, MANIFEST, "--publish").value
    assert changed["changed"]
    listed = bascule_here("import", "list", "--data", instance.data, "-o", "json").value["imports"]
    back = bascule_here(
        "import", "rollback", listed[0]["id"], "--data", instance.data, "-o", "json"
    )
    assert back.value[0]["status"] == "rolled_back"
    assert instance.call("echo", text="back").json()["result"]["structuredContent"]


def test_the_guides_own_module_works(instance: Instance, tmp_path: Path) -> None:
    guide = GUIDE.read_text()
    (text,) = re.findall(r"```wat\n(.*?)```", guide, re.DOTALL)
    (manifest,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    made = imported(instance, tmp_path, module(text), manifest.encode(), "--publish")
    assert "echo" in [tool["name"] for tool in made.value["tools"]]
    assert "E2002" in instance.call("echo", other=1).text


@pytest.mark.parametrize(
    ("content", "manifest", "said"),
    [
        (b"junk", MANIFEST, "no WebAssembly module in binary form"),
        (module()[:-1], MANIFEST, "longer than the module"),
        (b"", MANIFEST, "Give the module"),
        (module('(module (import "wasi" "clock" (func)))'), MANIFEST, "imports wasi.clock"),
        (module(), b"tools: [{name: nothing}]", "exports no function nothing"),
        (module(), b"tools: [{name: echo, input_schema: {type: sculpture}}]", "schema of echo"),
        (module(), b"tools: 5", "manifest cannot be used"),
    ],
)
def test_what_cannot_be_used_is_told_and_nothing_is_imported(
    instance: Instance, tmp_path: Path, content: bytes, manifest: bytes, said: str
) -> None:
    failed = imported(instance, tmp_path, content, manifest, "--publish")
    assert said in failed.error["message"]
