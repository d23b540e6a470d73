import json

from bascule.settings.description import describe
from bascule.settings.inventory import inventory
from bascule.settings.loading import load


def test_every_setting_has_a_row_with_value_source_and_effect():
    rows = describe(
        load(None, {"BASCULE_SERVER__PORT": "9000"}, {"observability.log_level": "debug"})
    )
    assert [row.key for row in rows] == list(inventory())
    by_key = {row.key: row for row in rows}
    assert by_key["server.port"].value == 9000
    assert by_key["server.port"].source == "environment BASCULE_SERVER__PORT"
    assert by_key["server.port"].needs_restart
    assert by_key["observability.log_level"].source == "flag --log-level"
    assert by_key["server.workers"].source == "default"


def test_rows_are_json_and_show_no_password():
    environ = {
        "BASCULE_DATABASE__URL": "postgresql://bascule:hunter2@db/bascule",
        "BASCULE_SECURITY__SEALING_KEYS": f"{'ab' * 32},{'cd' * 32}",
        "BASCULE_SERVER__ALLOWED_HOSTS": "a.example.com, b.example.com",
    }
    rows = describe(load(None, environ))
    printed = json.dumps([row.value for row in rows])
    assert "hunter2" not in printed
    assert "abab" not in printed
    assert '["********", "********"]' in printed
    assert "postgresql://bascule:********@db/bascule" in printed
    assert '["a.example.com", "b.example.com"]' in printed
