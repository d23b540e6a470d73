"""`whoami` says who a key makes one."""

from pathlib import Path

from unit.cli.shell import run


def test_a_key_is_somebody(live: Path, user_key: str) -> None:
    shown = run("whoami", "--data", live, "--key", user_key, "-o", "json").value
    assert (shown["name"], shown["tenant"], shown["roles"]) == ("ann", "default", ["user"])
    assert shown["permissions"] == ["tools:list", "tools:execute"]


def test_who_has_the_directory_may_do_everything(data: Path) -> None:
    shown = run("whoami", "--data", data)
    assert shown.code == 0
    assert "system_admin" in shown.out


def test_a_key_that_is_not_known_is_nobody(live: Path) -> None:
    refused = run("whoami", "--data", live, "--key", "bsc_nobody")
    assert (refused.code, refused.error["code"]) == (3, "E1002")
