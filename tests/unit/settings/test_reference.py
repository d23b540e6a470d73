import subprocess
import sys
from pathlib import Path

import pytest

from bascule.settings.inventory import inventory
from bascule.settings.reference import main, schema_page, settings_page

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"


def test_the_published_page_is_current():
    assert (REFERENCE / "settings.md").read_text() == settings_page(), (
        "run: python -m bascule.settings.reference > docs/reference/settings.md"
    )


def test_the_published_schema_is_current():
    assert (REFERENCE / "bascule.schema.json").read_text() == schema_page(), (
        "run: python -m bascule.settings.reference schema > docs/reference/bascule.schema.json"
    )


def test_every_setting_has_a_heading_default_and_variable():
    page = settings_page()
    for setting in inventory().values():
        _, _, rest = page.partition(f"### `{setting.key}`\n")
        described = rest.partition("\n### ")[0]
        assert "- Default: " in described, setting.key
        assert f"`{setting.variable}`" in described
        assert setting.meaning in described
        assert f", in {setting.unit}" in described or not setting.unit


@pytest.mark.parametrize(("arguments", "page"), [([], settings_page), (["schema"], schema_page)])
def test_the_command_prints_the_page(arguments: list[str], page):
    run = subprocess.run(
        [sys.executable, "-m", "bascule.settings.reference", *arguments],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert run.stdout == page()


def test_an_unknown_page_is_a_usage_error(capsys: pytest.CaptureFixture[str]):
    assert main(["nonsense"]) == 2
    assert "usage" in capsys.readouterr().err
