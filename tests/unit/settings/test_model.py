import pytest
from pydantic import ValidationError

from bascule.settings.inventory import sections
from bascule.settings.model import Database, Security, Server, Settings


def test_settings_are_frozen_and_closed():
    with pytest.raises(ValidationError):
        Settings().server.port = 1
    with pytest.raises(ValidationError):
        Server.model_validate({"prot": 1})


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ("server", "session_hours", 0),
        ("server", "session_hours", 8761),
        ("server", "interaction_timeout_seconds", 0),
        ("server", "max_streams", 0),
        ("server", "max_streams_per_principal", 0),
        ("server", "stream_keep_alive_seconds", 0),
        ("upstreams", "max_streams_per_origin", 0),
        ("upstreams", "prefix", "never"),
        ("cache", "max_entries", -1),
        ("security", "sealing_keys", ["ab" * 32] * 17),
    ],
)
def test_what_is_out_of_bounds_is_refused(section: str, name: str, value: object):
    with pytest.raises(ValidationError):
        sections()[section].model_validate({name: value})


def test_sealing_keys_keep_their_order_and_are_never_shown():
    security = Security.model_validate({"sealing_keys": ["ab" * 32, "CD" * 32]})

    assert [one.key for one in security.sealing_keys] == [b"\xab" * 32, b"\xcd" * 32]
    shown = repr(security) + str(security) + security.model_dump_json()
    assert "ab" * 32 not in shown
    assert "CD" * 32 not in shown


def test_printing_settings_shows_no_password():
    settings = Settings(database=Database.model_validate({"url": "postgresql://u:hunter2@h/d"}))
    for shown in (
        repr(settings),
        str(settings),
        settings.model_dump_json(),
        f"{settings.database}",
    ):
        assert "hunter2" not in shown
        assert "postgresql://u:********@h/d" in shown
