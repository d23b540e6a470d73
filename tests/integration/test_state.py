"""The key files of a data directory, and the state and seals made from settings."""

import stat
from pathlib import Path

import pytest

from bascule.app.keyfile import KeyUnusable, ensure_digest_key, ensure_sealing_key
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


@pytest.mark.parametrize("content", ["hunter2", "ab" * 31, "ab" * 33, "g" * 64])
def test_a_file_that_holds_no_key_is_named_and_left_alone(tmp_path: Path, content: str):
    path = tmp_path / "sealing.key"
    path.write_text(content)

    with pytest.raises(KeyUnusable, match=r"sealing\.key") as caught:
        ensure_sealing_key(path)

    assert content not in caught.value.public
    assert path.read_text() == content


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
