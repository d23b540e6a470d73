"""The tenant that a command acts in is named before it, behind it, or in the environment."""

from pathlib import Path

import pytest

from bascule.cli.acting import act_in, acting_in
from bascule.cli.failures import CommandFailed
from unit.cli.shell import run


@pytest.fixture
def tenants(data: Path) -> Path:
    """A data directory with a second tenant."""
    assert run("tenants", "add", "acme", "--data", data).code == 0
    return data


@pytest.mark.parametrize(
    "arguments",
    [("--tenant", "acme", "whoami"), ("whoami", "--tenant", "acme")],
)
def test_it_is_named_before_a_command_or_behind_it(
    tenants: Path, arguments: tuple[str, ...]
) -> None:
    shown = run(*arguments, "--data", tenants, "-o", "json").value
    assert (shown["tenant"], shown["home_tenant"]) == ("acme", "default")
    assert run("whoami", "--data", tenants, "-o", "json").value["tenant"] == "default"


def test_it_may_be_in_the_environment_and_a_flag_wins(tenants: Path) -> None:
    environ = {"BASCULE_TENANT": "acme"}
    assert run("whoami", "--data", tenants, "-o", "json", environ=environ).value["tenant"] == "acme"
    shown = run("--tenant", "default", "whoami", "--data", tenants, "-o", "json", environ=environ)
    assert shown.value["tenant"] == "default"


def test_what_is_made_there_is_not_at_home(tenants: Path) -> None:
    made = run("--tenant", "acme", "users", "add", "asha", "--role", "admin", "--data", tenants)
    assert made.code == 0
    assert run("users", "list", "--data", tenants, "-o", "json").value["total"] == 0
    listed = run("users", "list", "--tenant", "acme", "--data", tenants, "-o", "json").value
    assert [one["name"] for one in listed["users"]] == ["asha"]


def test_a_tenant_that_is_not_there_is_named(tenants: Path) -> None:
    refused = run("--tenant", "nobody", "whoami", "--data", tenants)
    assert (refused.code, refused.error["code"]) == (2, "E2011")


def test_others_act_at_home(tenants: Path, user_key: str) -> None:
    refused = run("whoami", "--tenant", "acme", "--data", tenants, "--key", user_key)
    assert (refused.code, refused.error["code"]) == (6, "E1004")


def test_tools_are_called_at_home_rather_than_in_silence(tenants: Path) -> None:
    refused = run("--tenant", "acme", "call", "echo", "--data", tenants)
    assert refused.code == 2
    assert "a key of that tenant" in refused.error["message"]


@pytest.mark.parametrize("name", ["", "a\nb", "größe"])
def test_what_no_tenant_is_named_is_not_sent(name: str) -> None:
    act_in("acme")
    with pytest.raises(CommandFailed, match="No tenant is named"):
        act_in(name)
    assert acting_in() == "acme"
    act_in(None)
    assert acting_in() is None
