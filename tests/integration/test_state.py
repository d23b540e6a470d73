"""The key files of a data directory, and the state and seals made from settings."""

import os
import stat
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bascule.app.instance import prepare_directory
from bascule.app.keyfile import (
    KeyUnusable,
    ensure_digest_key,
    ensure_sealing_key,
    ensure_secret_key,
)
from bascule.app.private import read_secret
from bascule.app.state import open_state, seals_of
from bascule.gateway.sealing import Purpose, SealBroken
from bascule.gateway.state import StateUnavailable
from bascule.settings.model import App, Redis, Security, Settings
from bascule.settings.secret import ConnectionUrl, SealingKey
from contract.state.stores import valkey_url

__all__ = ["valkey_url"]

OLD = SealingKey("ab" * 32)
NEW = SealingKey("cd" * 32)


@pytest.mark.parametrize("ensure", [ensure_digest_key, ensure_sealing_key])
def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path, ensure):
    made = ensure(tmp_path / "a.key")

    assert len(made) == 32
    assert ensure(tmp_path / "a.key") == made
    assert ensure(tmp_path / "b.key") != made
    assert stat.S_IMODE((tmp_path / "a.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601])
@pytest.mark.parametrize("ensure", [ensure_digest_key, ensure_sealing_key, ensure_secret_key])
def test_a_key_that_others_may_read_is_closed_to_them_and_said_to_be(
    tmp_path: Path, ensure, mode: int
):
    path = tmp_path / "a.key"
    made = ensure(path)
    path.chmod(mode)

    with capture_logs() as logs:
        assert ensure(path) == made
        assert ensure(path) == made

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (told,) = logs
    assert (told["event"], told["path"]) == ("file.open_to_others", str(path))
    assert "replace what it holds" in told["advice"]
    assert made.hex() not in str(logs)


def test_a_key_whose_mode_cannot_be_changed_is_used_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "a.key"
    path.write_text("mounted\n")
    path.chmod(0o444)

    def refuse(descriptor: int, mode: int) -> None:
        raise OSError(30, os.strerror(30))

    monkeypatch.setattr(os, "fchmod", refuse)
    told: list[str] = []

    assert read_secret(path, lambda _, advice: told.append(advice)) == "mounted"
    assert told == ["Others may read it, and its mode cannot be changed: Read-only file system."]


def test_what_a_link_leads_to_is_read_and_its_mode_is_left(tmp_path: Path):
    """Who can write to the directory could have the mode of any file changed otherwise."""
    elsewhere, path = tmp_path / "elsewhere", tmp_path / "a.key"
    elsewhere.write_text("mounted\n")
    elsewhere.chmod(0o644)
    path.symlink_to(elsewhere)
    told: list[str] = []

    assert read_secret(path, lambda _, advice: told.append(advice)) == "mounted"
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o644
    assert [one.partition(",")[0] for one in told] == ["It is a link"]
    assert read_secret(path, owner=os.getuid()) is None


def test_a_file_of_somebody_else_is_none_where_it_has_to_be_of_one_user(tmp_path: Path):
    path = tmp_path / "a.key"
    path.write_text("theirs\n")

    assert read_secret(path, owner=os.getuid()) == "theirs"
    path.chmod(0o644)
    assert read_secret(path, owner=os.getuid() + 1) is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_pipe_holds_no_secret_and_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "a.key")
    assert read_secret(tmp_path / "a.key") is None


@pytest.mark.parametrize("name", ["nothing", "."])
def test_where_no_secret_can_be_read_there_is_none(tmp_path: Path, name: str):
    assert read_secret(tmp_path / name) is None


def test_a_directory_that_others_may_use_is_told_of_and_left_alone(tmp_path: Path):
    place = tmp_path / "data"
    with capture_logs() as logs:
        prepare_directory(place)
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
        assert logs == []
        place.chmod(0o750)
        prepare_directory(place)

    assert stat.S_IMODE(place.stat().st_mode) == 0o750
    assert [one["event"] for one in logs] == ["directory.open_to_others"]
    assert f"chmod 700 {place}" in logs[0]["advice"]


@pytest.mark.parametrize("content", ["hunter2", "ab" * 31, "ab" * 33, "g" * 64, "\xff" * 32])
def test_a_file_that_holds_no_key_is_named_and_left_alone(tmp_path: Path, content: str):
    path = tmp_path / "sealing.key"
    path.write_bytes(content.encode("latin-1"))

    with pytest.raises(KeyUnusable, match=r"sealing\.key") as caught:
        ensure_sealing_key(path)

    assert content not in caught.value.public
    assert path.read_bytes() == content.encode("latin-1")


def test_handles_outlive_a_restart_on_the_same_directory(tmp_path: Path):
    token = seals_of(Settings(), tmp_path).seal(Purpose.SESSION, "", b"x")

    assert seals_of(Settings(), tmp_path).open(Purpose.SESSION, "", token) == b"x"


def test_keys_given_are_used_in_place_of_a_file(tmp_path: Path):
    token = seals_of(Settings(security=Security(sealing_keys=(OLD,))), tmp_path / "nowhere").seal(
        Purpose.SESSION, "", b"x"
    )
    rotated = seals_of(Settings(security=Security(sealing_keys=(NEW, OLD))), tmp_path / "nowhere")

    assert rotated.open(Purpose.SESSION, "", token) == b"x"
    with pytest.raises(SealBroken):
        seals_of(Settings(), tmp_path).open(Purpose.SESSION, "", token)


async def test_without_redis_state_stays_in_the_process():
    async with open_state(Settings()) as state:
        assert state.local


async def test_with_redis_gateways_of_one_environment_share_state(valkey_url: str):
    def gateway(environment: str) -> Settings:
        return Settings(
            app=App(environment=environment), redis=Redis(url=ConnectionUrl(valkey_url))
        )

    async with (
        open_state(gateway("staging")) as one,
        open_state(gateway("staging")) as other,
        open_state(gateway("production")) as stranger,
    ):
        assert not one.local
        await one.put("a", b"1", 60)
        assert await other.get("a") == b"1"
        assert await stranger.get("a") is None


async def test_a_redis_that_is_not_there_stops_the_start():
    settings = Settings(redis=Redis(url=ConnectionUrl("redis://127.0.0.1:1/0")))

    with pytest.raises(StateUnavailable, match=r"redis\.url does not answer"):
        async with open_state(settings):
            pytest.fail("opened")
