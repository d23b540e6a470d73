from bascule.settings.inventory import inventory, sections
from bascule.telemetry.redaction import is_secret_name


def test_the_sections_are_the_ones_agreed_on():
    assert list(sections()) == [
        "app", "server", "database", "redis", "upstreams", "catalogue", "identity", "llm",
        "chat", "security", "observability", "cache", "policy", "elevation", "guards", "plugins",
        "sandbox", "audit",
    ]  # fmt: skip


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
    secrets = [
        "llm.api_key",
        *("security.sealing_keys", "security.secret_keys", "security.vault_token"),
        *("policy.opa_token", "elevation.pim_token"),
    ]
    assert [one.key for one in inventory().values() if is_secret_name(one.name)] == secrets
    assert [one.key for one in inventory().values() if one.is_secret] == [
        "database.url",
        "redis.url",
        "llm.api_key",
        "security.sealing_keys",
        "security.secret_keys",
        "security.vault_token",
        "policy.opa_token",
        "elevation.pim_token",
    ]


def test_defaults_are_those_promised():
    promised = {
        "server.host": "127.0.0.1", "server.port": 8000, "server.workers": 1,
        "server.allow_remote": False, "server.max_body_bytes": 1024 * 1024,
        "server.request_timeout_seconds": 30.0, "database.url": "", "database.pool_size": 5,
        "database.max_overflow": 15, "database.recycle_seconds": 1800,
        "database.statement_timeout_seconds": 30.0, "redis.url": "",
        "upstreams.connect_timeout_seconds": 5.0, "upstreams.read_timeout_seconds": 30.0,
        "server.session_hours": 24, "server.interaction_timeout_seconds": 300.0,
        "server.max_streams": 4096, "server.max_streams_per_principal": 64,
        "server.stream_keep_alive_seconds": 15.0, "upstreams.max_streams_per_origin": 1024,
        "upstreams.prefix": "collision", "cache.max_entries": 10_000, "security.sealing_keys": [],
        "policy.rego_engine": "embedded", "policy.opa_url": "http://localhost:8181",
        "elevation.default_minutes": 60, "elevation.self_approval": False,
        "audit.mode": "strict", "observability.metrics_enabled": True,
    }  # fmt: skip
    assert {key: inventory()[key].default for key in promised} == promised
