"""A folder of files is kept in force: what it declares, changes, and takes back."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.hostile import document, hostile_upstream
from fakes.instances import Instance, serving

DRIFTING = Path(__file__).parents[1] / "fakes" / "drifting_server.py"
TOOL = {"name": "look_up", "description": "Look a word up.", "inputSchema": {"type": "object"}}


class Site:
    """An instance that follows a folder."""

    def __init__(self, instance: Instance, folder: Path) -> None:
        self.instance = instance
        self.folder = folder

    def get(self, path: str) -> Any:
        with self.instance.api() as client:
            return client.get(f"/api/admin/{path}").json()

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds: the folder is watched, nothing tells us that it was read."""
        deadline = time.monotonic() + 10
        while not holds():
            assert time.monotonic() < deadline, self.instance.child.said

    def names(self, kind: str) -> set[str]:
        return {one["name"] for one in self.get(kind)[kind]}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "folder"
    folder.mkdir()
    settings = {"catalogue.folder": str(folder)}
    with serving(tmp_path / "data", settings=settings) as instance:
        yield Site(instance, folder)


def test_what_a_file_declares_is_in_force_changed_and_taken_back(site: Site) -> None:
    tools = site.folder.parent / "tools.json"
    tools.write_text(json.dumps([TOOL]))
    declared = site.folder / "words.yaml"
    declared.write_text(
        f"""
servers:
  - name: words
    command: [{json.dumps(sys.executable)}, {json.dumps(str(DRIFTING))}, {json.dumps(str(tools))}]
policies:
  - {{name: readers, effect: allow, roles: [user], bundles: [words]}}
"""
    )
    site.until(lambda: "readers" in site.names("policies"))
    assert site.names("servers") == {"words"}
    assert site.instance.call("look_up").json()["result"]["content"][0]["text"] == "ran look_up"

    declared.write_text(declared.read_text().replace("effect: allow", "effect: deny"))
    site.until(lambda: site.get("policies")["policies"][0]["effect"] == "deny")

    declared.unlink()
    site.until(lambda: not site.names("servers"))
    assert site.names("policies") == set()


def test_a_broken_file_keeps_the_last_good_version_and_says_why(site: Site) -> None:
    good = "policies:\n  - {name: readers, effect: allow, roles: [user]}\n"
    (site.folder / "rules.yaml").write_text(good)
    site.until(lambda: "readers" in site.names("policies"))
    (site.folder / "rules.yaml").write_text("policies:\n  - {name: readers, effect: [\n")
    site.instance.child.wait_for("folder.refused")
    assert site.names("policies") == {"readers"}
    (site.folder / "rules.yaml").write_text(good.replace("readers", "writers"))
    site.until(lambda: site.names("policies") == {"writers"})


def test_what_is_refused_leaves_the_rest_of_the_file_in_force(site: Site) -> None:
    (site.folder / "rules.yaml").write_text(
        "policies:\n"
        "  - {name: fine, effect: allow, roles: [user]}\n"
        "  - {name: odd, effect: allow, roles: [nobody-has-it]}\n"
    )
    site.instance.child.wait_for("Unknown roles: nobody-has-it")
    site.instance.child.wait_for("rules.yaml:3")
    assert site.names("policies") == {"fine"}


def test_an_api_a_bundle_and_an_upstream_are_declared_with_their_document(site: Site) -> None:
    with hostile_upstream() as upstream:
        (site.folder / "openapi.json").write_bytes(document())
        (site.folder / "api.yaml").write_text(
            f"apis:\n  - {{name: odd, document: openapi.json, base_url: '{upstream.url}'}}\n"
        )
        site.until(lambda: site.get("tools?bundle_id=odd")["total"] > 0)
        tool = site.get("tools?bundle_id=odd")["tools"][0]["name"]
        (site.folder / "bundle.yaml").write_text(
            f"bundles:\n  - name: few\n    members:\n      - {{tool: {tool}, name: only}}\n"
        )
        site.until(lambda: "few" in site.names("bundles"))
        assert [one["name"] for one in site.get("bundles/few")["members"]] == ["only"]


def test_a_restart_changes_nothing_that_did_not_change(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "r.yaml").write_text("policies: [{name: a, effect: allow, roles: [user]}]")
    settings = {"catalogue.folder": str(folder)}
    for expected in (1, 1):
        with serving(tmp_path / "data", settings=settings) as instance:
            logs = Site(instance, folder).get("audit-logs?limit=100")["logs"]
            assert sum(one["action"] == "policy.put" for one in logs) == expected


def test_an_api_that_is_declared_no_more_is_left_and_says_so(site: Site) -> None:
    with hostile_upstream() as upstream:
        (site.folder / "openapi.json").write_bytes(document())
        declared = site.folder / "api.yaml"
        declared.write_text(
            f"apis:\n  - {{name: odd, document: openapi.json, base_url: '{upstream.url}'}}\n"
        )
        site.until(lambda: site.get("tools?bundle_id=odd")["total"] > 0)
        declared.unlink()
        site.instance.child.wait_for("folder.left")
        site.instance.child.wait_for("bascule tools status TOOL inactive")
        assert site.get("tools?bundle_id=odd&status=active")["total"] > 0


def test_a_kind_that_is_misspelt_is_told_and_takes_nothing_back(site: Site) -> None:
    rules = site.folder / "rules.yaml"
    rules.write_text("policies:\n  - {name: readers, effect: allow, roles: [user]}\n")
    site.until(lambda: "readers" in site.names("policies"))
    rules.write_text("policys:\n  - {name: writers, effect: allow, roles: [user]}\n")
    site.instance.child.wait_for("did you mean `policies`?")
    assert site.names("policies") == {"readers"}


EACH_TYPE = """
policies:
  - {name: users, effect: allow, roles: [user]}
  - {name: no refunds, type: deny_list, tools: [refund*]}
  - name: at night
    type: condition
    effect: deny
    when:
      windows: [{days: [sat, sun], from: 18:00, to: 06:00, zone: Asia/Kolkata}]
      arguments: [{path: items.*.price, op: above, value: 100}]
  - {name: slow, type: rate_limit, rate: {calls: 5}}
"""
REGO = "package bascule.authz\nimport rego.v1\nallow if input.user in data.friends\n"


def test_policies_of_every_type_are_declared(site: Site) -> None:
    (site.folder / "rules.yaml").write_text(EACH_TYPE)
    wanted = {"users", "no refunds", "at night", "slow"}
    site.until(lambda: site.names("policies") == wanted)
    found = site.get("policies/at night")["when"]
    assert found["windows"][0]["from"] == "18:00"
    assert found["arguments"][0]["path"] == "items.*.price"
    (site.folder / "rules.yaml").write_text(EACH_TYPE.replace("18:00", "25:00"))
    site.instance.child.wait_for("written as in 08:30")
    assert site.get("policies/at night")["when"] == found


def test_a_folder_of_rego_is_a_policy_named_after_it(site: Site) -> None:
    folder = site.folder / "authz"
    folder.mkdir()
    (folder / "data.json").write_text('{"friends": ["ann"], "policies": []}')
    (folder / "authz.rego").write_text(REGO)
    site.until(lambda: site.names("policies") == {"authz"})
    shown = site.get("policies/authz")
    assert (shown["type"], shown["rego"]["modules"]) == ("rego", {"authz.rego": REGO})
    assert shown["rego"]["data"] == {"friends": ["ann"], "policies": []}

    (folder / "authz.rego").write_text(f"{REGO}allow if {{")
    site.instance.child.wait_for("authz: rego: authz.rego:")
    assert site.get("policies/authz") == shown
    (folder / "data.json").write_text("{")
    site.instance.child.wait_for("data.json:1 is not JSON")
    assert site.get("policies/authz") == shown

    (folder / "data.json").unlink()
    (folder / "authz.rego").write_text(f"{REGO}# more\n")
    site.until(lambda: site.get("policies/authz")["rego"]["data"] == {})
    (folder / "authz.rego").unlink()
    site.until(lambda: site.names("policies") == set())


def test_rego_that_stands_by_itself_is_told_where_it_belongs(site: Site) -> None:
    (site.folder / "authz.rego").write_text(REGO)
    site.instance.child.wait_for("Put Rego into a folder of its own")
    assert site.names("policies") == set()
