"""The example plugin, installed as its users would, in a gateway of its own process."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fakes.instances import Instance, bascule, bascule_here, serving

EXAMPLE = Path(__file__).parents[2] / "examples" / "plugin"
QUERIES = """
-- tool: find_customer  Find a customer by name.
SELECT name, account FROM customers WHERE name = :name;

-- tool: slow  Does not end in time.
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n;

-- tool: broken  Names no table.
SELECT * FROM nothing;
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the example is installed, for PYTHONPATH."""
    place = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index",
         "--no-build-isolation", "--disable-pip-version-check", "--target", str(place),
         str(EXAMPLE)],
        check=True,
        timeout=60,
    )  # fmt: skip
    return str(place)


def settings_for(folder: Path, hours: str = "{from: 0, to: 24}") -> dict[str, str]:
    databases = folder / "databases"
    databases.mkdir(exist_ok=True)
    (databases / "shop.sql").write_text(QUERIES)
    with closing(sqlite3.connect(databases / "shop.db")) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS customers (name, account)")
        connection.execute("INSERT INTO customers VALUES ('Rahul', 'ACC-123456')")
        connection.commit()
    file = folder / "plugins.yaml"
    file.write_text(f"office:\n  hours: {hours}\n  queries: ${{WHERE}}\n")
    return {"plugins.enabled": "office", "plugins.settings_file": str(file)}


@pytest.fixture(scope="module")
def instance(installed: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    folder = tmp_path_factory.mktemp("plugins")
    settings = settings_for(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", installed)
        patch.setenv("WHERE", str(folder / "databases"))
        with serving(folder / "data", settings=settings) as one:
            made = run(one, "import", "connector", "queries", "shop", "--bundle", "shop",
                       "--publish")  # fmt: skip
            assert [tool["name"] for tool in made.value["tools"]] == [
                "find_customer", "slow", "broken",
            ]  # fmt: skip
            with one.api() as client:
                rule = {"name": "shop", "effect": "allow", "roles": ["user"], "bundles": ["shop"]}
                assert client.post("/api/admin/policies", json=rule).status_code == 201
            yield one


def run(instance: Instance, *words: str):
    return bascule_here(*words, "--data", instance.data, "-o", "json")


def test_what_a_plugin_adds_is_listed(instance: Instance) -> None:
    (office,) = run(instance, "plugins", "list").value["plugins"]
    assert (office["name"], office["package"]) == ("office", "bascule-office")
    assert office["stages"] == [{"slot": "authorised", "name": "office-hours"}]
    assert (office["guards"], office["connectors"]) == (["hide-accounts"], ["queries"])
    assert office["observers"] == 1


def test_a_connectors_tools_are_called_and_its_results_pass_the_guards(instance: Instance) -> None:
    answer = instance.call("find_customer", name="Rahul").json()["result"]
    assert answer["structuredContent"] == {"rows": [{"name": "Rahul", "account": "ACC-******"}]}
    assert "ACC-123456" not in str(answer)


def test_arguments_pass_the_guards(instance: Instance) -> None:
    refused = instance.call("find_customer", name="ACC-123456").json()
    assert "Leave account numbers out" in str(refused)


def test_a_connectors_failure_tells_the_caller_its_public_sentence_only(instance: Instance) -> None:
    answer = instance.call("broken").json()["result"]
    assert answer["isError"]
    assert "The query failed." in answer["content"][0]["text"]
    assert "nothing" not in str(answer)


def test_nobody_imports_through_a_connector_who_may_not_manage_servers(
    instance: Instance,
) -> None:
    with instance.api() as client:
        made = client.post("/api/admin/keys", json={"name": "dev", "roles": ["developer"]})
    body = {"bundle_id": "mine", "address": "shop"}
    with instance.api(made.json()["key"]) as client:
        refused = client.post("/api/admin/connectors/queries", json=body)
    assert refused.status_code == 403
    assert refused.json()["error"]["details"] == {"permission": "mcp:manage_servers"}


@pytest.mark.parametrize("address", ["../shop", "missing", ""])
def test_an_address_that_leads_nowhere_is_told(instance: Instance, address: str) -> None:
    failed = run(instance, "import", "connector", "queries", address, "--bundle", "x")
    assert failed.error["code"] == "E4004"


def test_an_unknown_connector_is_told_with_those_there_are(instance: Instance) -> None:
    failed = run(instance, "import", "connector", "ldap", "x", "--bundle", "x")
    assert "queries" in failed.error["message"]


def test_a_stage_refuses_by_the_hour_what_writes(
    installed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", installed)
    monkeypatch.setenv("WHERE", str(tmp_path / "databases"))
    settings = settings_for(tmp_path, hours="{from: 25, to: 26}")
    with serving(tmp_path / "data", "--demo", settings=settings) as instance:
        allowed = instance.call("resolve_customer", instance.demo_key, mobile="9876543210")
        assert "Rahul" in allowed.text
        refused = instance.call(
            "create_service_booking",
            instance.demo_key,
            customer_id=1, vehicle_id=1, dealer_id=1, slot_id=1,
        )  # fmt: skip
        assert "which is possible from 25:00" in refused.text
        with instance.api() as client:
            kept = client.get("/api/admin/audit-logs?tool_name=create_service_booking")
        assert "outside of office hours" in kept.text


@pytest.mark.parametrize(
    ("enabled", "written", "said"),
    [
        ("offise", "", "Did you mean office?"),
        ("office", "office: {hours: 9}", "hours needs `from` and `to`"),
        ("office", "other: {}", "has settings for other"),
        ("office", "office: [", "is no YAML"),
        ("office", "office: {queries: '${NOT_SET}'}", "NOT_SET is not set"),
    ],
)
def test_a_plugin_that_cannot_be_used_keeps_the_gateway_from_starting(
    installed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    enabled: str, written: str, said: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("PYTHONPATH", installed)
    settings = {"plugins.enabled": enabled}
    if written:
        (tmp_path / "plugins.yaml").write_text(written)
        settings["plugins.settings_file"] = str(tmp_path / "plugins.yaml")
    failed = bascule("serve", "--data", tmp_path / "data", "--port", "0", settings=settings)
    assert failed.code != 0
    assert said in " ".join((failed.out + failed.err).split())


def test_what_is_installed_and_not_enabled_is_listed_and_does_not_run(
    installed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", installed)
    found = bascule("plugins", "list", "--installed", "--data", tmp_path, "-o", "json").value
    assert found["plugins"] == [
        {
            "name": "office",
            "package": "bascule-office",
            "version": "1.0.0",
            "entry_point": "bascule_office:plugin",
        }
    ]
