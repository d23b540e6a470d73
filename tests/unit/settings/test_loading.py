import os
from pathlib import Path

import pytest

from bascule.settings.loading import find_file, load
from bascule.settings.model import Settings
from bascule.settings.problem import SettingsInvalid


def write(folder: Path, text: str, name: str = "bascule.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def refused(path: Path | None, environ: dict[str, str] | None = None, **flags: object) -> str:
    with pytest.raises(SettingsInvalid) as caught:
        load(path, environ or {}, {key.replace("__", "."): one for key, one in flags.items()})
    return str(caught.value)


def test_nothing_given_means_defaults():
    loaded = load(None, {})
    assert loaded.settings == Settings()
    assert set(loaded.sources.values()) == {"default"}
    assert loaded.files == ()


def test_each_layer_wins_over_the_one_below(tmp_path: Path):
    path = write(tmp_path, "app: {environment: staging}\nserver:\n  port: 1\n  workers: 1\n")
    write(tmp_path, "server:\n  max_body_bytes: 2048\n  port: 2\n", "bascule.staging.yaml")

    loaded = load(path, {})
    assert loaded.settings.server.port == 2
    assert loaded.sources["server.port"] == "bascule.staging.yaml:3"
    assert loaded.sources["server.workers"] == "bascule.yaml:4"
    assert loaded.sources["server.host"] == "default"
    assert [one.name for one in loaded.files] == ["bascule.yaml", "bascule.staging.yaml"]

    environ = {"BASCULE_SERVER__PORT": "3"}
    loaded = load(path, environ)
    assert loaded.settings.server.port == 3
    assert loaded.sources["server.port"] == "environment BASCULE_SERVER__PORT"

    loaded = load(path, environ, {"server.port": 4, "server.host": None})
    assert loaded.settings.server.port == 4
    assert loaded.sources["server.port"] == "flag --port"
    assert loaded.settings.server.max_body_bytes == 2048


def test_the_environment_is_chosen_by_flag_then_variable_then_file(tmp_path: Path):
    path = write(tmp_path, "app: {environment: '${STAGE:one}'}\n")
    for name in ("one", "two", "three", "four"):
        write(tmp_path, f"app: {{name: {name}}}\n", f"bascule.{name}.yaml")
    assert load(path, {}).settings.app.name == "one"
    assert load(path, {"STAGE": "two"}).settings.app.name == "two"
    environ = {"BASCULE_APP__ENVIRONMENT": "three"}
    assert load(path, environ).settings.app.name == "three"
    assert load(path, environ, {"app.environment": "four"}).settings.app.name == "four"


def test_the_default_environment_has_an_overlay_too(tmp_path: Path):
    path = write(tmp_path, "")
    write(tmp_path, "app: {name: local}\n", "bascule.development.yaml")
    assert load(path, {}).settings.app.name == "local"


def test_an_environment_name_cannot_lead_out_of_the_folder(tmp_path: Path):
    inner = tmp_path / "inner"
    inner.mkdir()
    write(tmp_path, "app: {name: stolen}\n", "x.yaml")
    path = write(inner, "")
    message = refused(path, {"BASCULE_APP__ENVIRONMENT": "/../../x"})
    assert "environment BASCULE_APP__ENVIRONMENT" in message
    assert "lower-case letters" in message


def test_an_overlay_cannot_change_the_environment(tmp_path: Path):
    path = write(tmp_path, "")
    write(tmp_path, "app:\n  environment: production\n", "bascule.development.yaml")
    assert "bascule.development.yaml:2:3: An overlay cannot set" in refused(path)


def test_a_file_of_another_name_has_overlays_of_that_name(tmp_path: Path):
    path = write(tmp_path, "app: {environment: dr}\n", "edge.yaml")
    write(tmp_path, "app: {name: edge}\n", "edge.dr.yaml")
    assert load(path, {}).settings.app.name == "edge"


def test_references_are_replaced_where_they_win(tmp_path: Path):
    (tmp_path / "password").write_text("p/w:1\n")
    path = write(
        tmp_path,
        "server: {port: '${PORT:8100}', allowed_hosts: ['${ONE}', b]}\n"
        "database: {url: 'postgresql://u:${file:password}@db/x'}\n",
    )
    settings = load(path, {"ONE": "a"}).settings
    assert settings.server.port == 8100
    assert settings.server.allowed_hosts == ("a", "b")
    assert settings.database.url.get_secret_value() == "postgresql://u:p/w:1@db/x"


def test_a_reference_that_is_overridden_need_not_lead_anywhere(tmp_path: Path):
    path = write(tmp_path, "redis:\n  url: ${REDIS_URL}\n")
    assert "bascule.yaml:2:8: The environment variable REDIS_URL is not set." in refused(path)
    loaded = load(path, {"BASCULE_REDIS__URL": "redis://h/0"})
    assert loaded.settings.redis.url.get_secret_value() == "redis://h/0"


@pytest.mark.parametrize(
    "line",
    [
        "database: {url: 'postgresql://u:hunter2@db/x'}",
        "database: {url: 'postgresql://${USER}:hunter2@db/x'}",
        "database: {url: '${URL:postgresql://u:hunter2@db/x}'}",
        "database: {url: 'postgresql://u:${PASSWORD:hunter2}@db/x'}",
        "redis: {url: 'redis://:hunter2@h/0'}",
        "redis: {url: 'redis://h/0?password=hunter2'}",
        "llm: {api_key: hunter2}",
        "database: {password: hunter2}",
        "upstreams: {clientSecret: [hunter2]}",
        "security: {sealing_keys: hunter2}",
        "security: {sealing_keys: ['${KEY:hunter2}']}",
    ],
)
def test_a_secret_in_the_file_itself_is_refused_and_never_repeated(tmp_path: Path, line: str):
    environ = {"BASCULE_DATABASE__URL": "", "BASCULE_REDIS__URL": "", "USER": "u"}
    message = refused(write(tmp_path, line + "\n"), environ)
    assert "holds a secret in the file itself" in message
    assert "${file:path}" in message
    assert "hunter2" not in message


def test_sealing_keys_come_from_files_and_variables(tmp_path: Path):
    (tmp_path / "old.key").write_text("cd" * 32 + "\n")
    path = write(tmp_path, "security: {sealing_keys: ['${NEW}', '${file:old.key}']}\n")

    keys = load(path, {"NEW": "ab" * 32}).settings.security.sealing_keys

    assert [one.key for one in keys] == [b"\xab" * 32, b"\xcd" * 32]


def test_a_sealing_key_that_is_none_is_pointed_at_and_never_repeated(tmp_path: Path):
    path = write(tmp_path, "security:\n  sealing_keys:\n    - ${A}\n    - ${B}\n")

    message = refused(path, {"A": "ab" * 32, "B": "hunter2"})

    assert "bascule.yaml:4:7: security.sealing_keys holds a value that is no key" in message
    assert "hunter2" not in message
    assert "abab" not in message


def test_a_url_without_a_secret_may_stand_in_the_file(tmp_path: Path):
    path = write(
        tmp_path,
        "database: {url: 'postgresql://u:${PASSWORD}@${HOST:db}/x'}\nredis: {url: redis://h/0}\n",
    )
    url = load(path, {"PASSWORD": "s3cret"}).settings.database.url
    assert url.get_secret_value() == "postgresql://u:s3cret@db/x"


def test_every_error_is_reported_at_once_with_place_and_remedy(tmp_path: Path):
    path = write(
        tmp_path,
        "server:\n  prot: 1\n  host: 0.0.0.0\n  workers: ${W}\n"
        "llm:\n  provider: clever\ncache:\n  list_page_size: 0\n",
    )
    environ = {"BASCULE_AUDIT__MOOD": "x", "BASCULE_SERVER_WORKERS": "2"}
    message = refused(path, environ, observability__log_level="loud")
    for place, says in [
        ("bascule.yaml:2:3", "Did you mean server.port?"),
        ("bascule.yaml:3:3", "allow_remote"),
        ("bascule.yaml:4:12", "Set W, or give a default: ${W:default}."),
        ("bascule.yaml:6:13", "one of offline, openai"),
        ("bascule.yaml:8:19", "a whole number from 1 to 10000"),
        ("environment BASCULE_AUDIT__MOOD", "Did you mean BASCULE_AUDIT__MODE?"),
        ("environment BASCULE_SERVER_WORKERS", "BASCULE_SERVER__WORKERS"),
        ("flag --log-level", "one of debug, info"),
    ]:
        assert place in message
        assert says in message
    assert message.startswith("The settings have 8 problems:")


def test_the_right_item_of_a_list_is_pointed_at(tmp_path: Path):
    path = write(tmp_path, "server:\n  allowed_origins:\n    - https://a.example\n    - '*'\n")
    assert "bascule.yaml:4:7: server.allowed_origins must not be '*'" in refused(path)


def test_an_unusable_file_is_named(tmp_path: Path):
    assert "there is no such file" in refused(tmp_path / "bascule.yaml")
    assert "there is no such file" in refused(tmp_path)
    path = tmp_path / "bascule.yaml"
    path.write_bytes(b"app: \xff\n")
    assert "byte 5 is not UTF-8" in refused(path)
    path.write_text("#" * 1_048_577)
    assert "larger than" in refused(path)
    path.unlink()
    os.mkfifo(path)
    assert "there is no such file" in refused(path)


def test_a_section_that_does_not_exist_is_refused_even_when_empty(tmp_path: Path):
    message = refused(write(tmp_path, "sever:\nllm: {}\n"))
    assert "bascule.yaml:1:1: There is no section sever." in message
    assert "Did you mean server?" in message
    assert "a problem:" in message


def test_an_environment_that_leads_nowhere_is_reported_once(tmp_path: Path):
    message = refused(write(tmp_path, "app: {environment: '${STAGE}'}\n"))
    assert "a problem:" in message
    assert "STAGE is not set" in message


def test_a_path_the_system_refuses_is_a_problem(tmp_path: Path):
    assert "too long" in refused(tmp_path / ("x" * 300))


def test_a_byte_order_mark_is_no_content(tmp_path: Path):
    path = tmp_path / "bascule.yaml"
    path.write_bytes(b"\xef\xbb\xbfapp:\n  name: x\n")
    assert load(path, {}).settings.app.name == "x"


def test_the_first_folder_with_a_file_is_used(tmp_path: Path):
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    second.mkdir()
    assert find_file([first, second]) is None
    path = write(second, "")
    assert find_file([first, second]) == path


def test_only_the_environment_handed_in_is_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BASCULE_SERVER__PORT", "1")
    assert Settings().server.port == 8000
    assert load(None, {}).settings.server.port == 8000
