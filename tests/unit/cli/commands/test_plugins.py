"""`plugins` on the directory of an instance that uses none."""

from pathlib import Path

from bascule.cli.commands.plugins import _row
from unit.cli.shell import run


def test_an_instance_without_plugins_lists_none(data: Path) -> None:
    found = run("plugins", "list", "--data", data, "-o", "json").value
    assert found == {"plugins": [], "total": 0}


def test_what_is_installed_is_listed_without_an_instance(data: Path) -> None:
    found = run("plugins", "list", "--installed", "--data", data, "-o", "json").value
    assert found["total"] == len(found["plugins"])


def test_what_a_plugin_adds_is_said_in_a_line() -> None:
    plugin = {
        "name": "office",
        "stages": [{"slot": "authorised", "name": "hours"}],
        "guards": ["accounts"],
        "connectors": ["queries"],
        "observers": 2,
    }
    said = "stage hours (authorised), guard accounts, connector queries, 2 observers"
    assert _row(plugin)["adds"] == said
    assert _row({**plugin, "stages": [], "guards": [], "connectors": [], "observers": 1})[
        "adds"
    ] == ("1 observer")
