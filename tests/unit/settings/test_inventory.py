from bascule.settings.inventory import inventory, reserved_sections, sections
from bascule.telemetry.redaction import is_secret_name


def test_the_sections_are_the_ones_agreed_on():
    assert list(sections()) == [
        "app", "server", "database", "redis", "upstreams", "llm", "security", "observability",
        "cache", "audit",
    ]  # fmt: skip
    assert reserved_sections() == {"llm", "security"}


def test_every_setting_says_what_it_means_and_what_it_takes():
    for setting in inventory().values():
        assert setting.meaning.endswith("."), setting.key
        assert setting.accepts, setting.key


def test_a_setting_with_a_unit_in_its_name_has_it_as_unit():
    for setting in inventory().values():
        for unit in ("bytes", "seconds"):
            assert setting.name.endswith(f"_{unit}") == (setting.unit == unit), setting.key


def test_names_for_all_layers_are_unique():
    settings = inventory().values()
    assert len({one.variable for one in settings}) == len(settings)
    assert len({one.flag for one in settings}) == len(settings)
    port = inventory()["server.port"]
    assert (port.variable, port.flag) == ("BASCULE_SERVER__PORT", "--port")
    assert inventory()["database.url"].flag == "--database-url"


def test_no_harmless_setting_is_named_like_a_secret():
    assert [one.key for one in inventory().values() if is_secret_name(one.name)] == []
    assert [one.key for one in inventory().values() if one.is_secret] == [
        "database.url",
        "redis.url",
    ]


def test_defaults_are_those_promised():
    promised = {
        "server.host": "127.0.0.1", "server.port": 8000, "server.workers": 1,
        "server.allow_remote": False, "server.max_body_bytes": 1024 * 1024,
        "server.request_timeout_seconds": 30.0, "database.url": "", "database.pool_size": 5,
        "database.max_overflow": 15, "database.recycle_seconds": 1800,
        "database.statement_timeout_seconds": 30.0, "redis.url": "",
        "upstreams.connect_timeout_seconds": 5.0, "upstreams.read_timeout_seconds": 30.0,
        "audit.mode": "strict", "observability.metrics_enabled": True,
    }  # fmt: skip
    assert {key: inventory()[key].default for key in promised} == promised
