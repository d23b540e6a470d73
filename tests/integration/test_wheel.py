"""What is packed has its pages, and cannot be packed without them."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYOUT = ("LICENSE", "README.md", "pyproject.toml", "scripts/build_hook.py")
PAGES = ("index.html", "assets/app-1.js", "assets/app-1.js.gz")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As much of the project as it takes to pack it; its pages are ignored by git, as here."""
    for name in LAYOUT:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / ".gitignore").write_text("/src/bascule/_ui/\n")
    (tmp_path / "examples" / "booking").mkdir(parents=True)
    (tmp_path / "examples" / "booking" / "openapi.yaml").write_text("openapi: 3.1.0\n")
    package = tmp_path / "src" / "bascule"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('__version__ = "0.0.1"\n')
    return tmp_path


def build(checkout: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "hatchling", "build"],
        cwd=checkout, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_wheel_and_a_source_distribution_have_the_pages(checkout: Path) -> None:
    for name in PAGES:
        path = checkout / "src" / "bascule" / "_ui" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    done = build(checkout)
    assert done.returncode == 0, done.stderr
    (wheel,) = (checkout / "dist").glob("*.whl")
    assert {f"bascule/_ui/{name}" for name in PAGES} <= set(zipfile.ZipFile(wheel).namelist())
    (source,) = (checkout / "dist").glob("*.tar.gz")
    with tarfile.open(source) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    assert {f"src/bascule/_ui/{name}" for name in PAGES} <= names


def test_nothing_is_packed_without_the_pages(checkout: Path) -> None:
    done = build(checkout)
    assert done.returncode != 0
    assert "src/bascule/_ui/index.html is missing" in done.stderr
    assert "make web" in done.stderr
    assert not list(checkout.glob("dist/*"))
