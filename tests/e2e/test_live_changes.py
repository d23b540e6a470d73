"""What takes effect without a restart: settings on SIGHUP, and changes another process commits."""

import time
from pathlib import Path
from signal import SIGHUP

from fakes.instances import serving


def test_sighup_reads_the_settings_again_and_names_what_waits_for_a_restart(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, command="serve") as instance:
        (tmp_path / "bascule.yaml").write_text(
            "observability: {log_level: debug}\ncache: {list_page_size: 7}\n"
        )
        instance.child.send(SIGHUP)
        instance.child.wait_for('"needs_restart":["cache.list_page_size"]')


def test_settings_that_do_not_hold_together_change_nothing_and_the_log_says_why(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, command="serve") as instance:
        (tmp_path / "bascule.yaml").write_text("observability: {log_levl: debug}\n")
        instance.child.send(SIGHUP)
        instance.child.wait_for("settings.not_reloaded")
        instance.child.wait_for("Did you mean observability.log_level?")
        assert instance.call("nothing").status_code == 200


def test_a_key_revoked_through_one_process_is_soon_refused_by_another(tmp_path: Path) -> None:
    shared = {"database.url": f"sqlite:///{tmp_path / 'shared.db'}"}
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    with (
        serving(first, "--demo", settings=shared) as one,
        serving(second, settings=shared) as other,
        other.api() as administrator,
    ):
        keys = administrator.get("/api/admin/keys").json()["keys"]
        [demo] = [key for key in keys if one.demo_key.startswith(key["prefix"])]
        assert one.call("nothing", one.demo_key).status_code == 200
        assert administrator.delete(f"/api/admin/keys/{demo['key_id']}").status_code == 200
        deadline = time.monotonic() + 10
        while one.call("nothing", one.demo_key).status_code != 401:
            assert time.monotonic() < deadline, "the other process never noticed"
