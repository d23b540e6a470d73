"""What could go wrong, named before it does."""

import json
import shutil
import socket
from pathlib import Path

import pytest

from fakes.certificates import Authority
from fakes.instances import Instance
from unit.cli.shell import run


@pytest.fixture(autouse=True)
def free_port(monkeypatch: pytest.MonkeyPatch) -> int:
    """The usual port may be in use where the tests run."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("BASCULE_SERVER__PORT", str(port))
    return port


def examined(data: Path, code: int = 0) -> dict[str, dict[str, str]]:
    ended = run("doctor", "--data", data, "-o", "json")
    assert (ended.code, ended.err) == (code, "")
    return {row["check"]: row for row in json.loads(ended.out)}


def test_a_healthy_instance_passes_every_check(data: Path, free_port: int) -> None:
    data.chmod(0o700)
    checks = examined(data)
    assert list(checks) == [
        *("python", "settings", "tls", "data directory", "disk space", "disk sync"),
        *("instance", "database", "journal", "assistant"),
    ]  # fmt: skip
    certain = {name: one["result"] for name, one in checks.items() if not name.startswith("disk")}
    assert set(certain.values()) == {"ok"}
    assert str(free_port) in checks["instance"]["detail"]
    assert "chain intact" in checks["journal"]["detail"]


def test_a_place_where_nothing_is_yet_is_fine_and_stays_so(tmp_path: Path) -> None:
    checks = examined(tmp_path / "new")
    assert checks["data directory"]["detail"].endswith("does not exist yet")
    assert not (tmp_path / "new").exists()
    (tmp_path / "empty").mkdir()
    assert examined(tmp_path / "empty")["database"]["detail"] == "will be made at the first start"
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_running_instance_is_recognised_and_left_alone(running: Instance) -> None:
    checks = examined(running.data)
    assert f"process {running.child.pid}" in checks["instance"]["detail"]
    assert checks["database"]["detail"] == "in use by the running instance"


@pytest.mark.parametrize(
    ("is_over", "result", "code"), [(False, "warning", 0), (True, "failed", 7)]
)
def test_a_certificate_that_ends_is_told_in_time(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_over: bool,
    result: str,
    code: int,
) -> None:
    pair = Authority().client("gw", is_over=is_over)
    (tmp_path / "gw.pem").write_text(pair.certificate + pair.key)
    monkeypatch.setenv("BASCULE_SERVER__TLS_CERTIFICATE", str(tmp_path / "gw.pem"))
    found = examined(data, code)["tls"]
    assert (found["result"], "CN=gw" in found["detail"]) == (result, True)


def test_files_of_tls_that_cannot_be_used_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BASCULE_SERVER__TLS_CERTIFICATE", "/nowhere.pem")
    assert "cannot be read" in examined(tmp_path / "new", 7)["tls"]["detail"]


def test_a_tampered_journal_fails(data: Path) -> None:
    (segment,) = (data / "audit").glob("*.jsonl")
    segment.write_bytes(segment.read_bytes().replace(b'"user":"local"', b'"user":"other"', 1))
    checks = examined(data, 7)
    assert checks["journal"]["result"] == "failed"
    assert segment.name in checks["journal"]["detail"]
    assert checks["journal"]["fix"] == "bascule audit verify"


def test_a_damaged_database_fails(data: Path) -> None:
    (data / "bascule.db").write_bytes(b"no database" * 1000)
    checks = examined(data, 7)
    assert checks["database"]["result"] == "failed"
    assert "bascule.db" in checks["database"]["detail"]


def test_a_port_in_use_fails(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("BASCULE_SERVER__PORT", str(port))
        checks = examined(data, 7)
    assert checks["instance"]["result"] == "failed"
    assert f"{port} is in use" in checks["instance"]["detail"]


def test_wrong_settings_fail_once(data: Path) -> None:
    (data / "bascule.yaml").write_text("server: {prot: 1}\n")
    checks = examined(data, 7)
    assert checks["settings"]["result"] == "failed"
    assert "bascule.yaml:1" in checks["settings"]["detail"]
    results = {name: checks[name]["result"] for name in ("instance", "database", "journal")}
    assert set(results.values()) == {"skipped"}


def test_a_directory_that_others_can_read_is_a_warning(data: Path) -> None:
    data.chmod(0o755)
    checks = examined(data)
    assert checks["data directory"]["result"] == "warning"
    assert checks["data directory"]["fix"] == f"chmod 700 {data}"


@pytest.mark.parametrize("below", ["", "below"])
def test_a_file_where_the_directory_should_be_fails(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("")
    checks = examined(tmp_path / "file" / below, 7)
    assert checks["data directory"]["result"] == "failed"
    assert "is not a directory" in checks["data directory"]["detail"]


def test_little_space_and_a_slow_disk_are_warnings(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(data)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10**8))
    ticks = iter(range(1000))
    monkeypatch.setattr("time.perf_counter", lambda: float(next(ticks)))
    checks = examined(data)
    assert checks["disk space"]["result"] == "warning"
    assert "0.1 GB" in checks["disk space"]["detail"]
    assert checks["disk sync"]["result"] == "warning"
    assert "faster disk" in checks["disk sync"]["fix"]


def test_a_table_is_for_people(data: Path) -> None:
    lines = run("doctor", "--data", data).out.splitlines()
    assert lines[0].split() == ["check", "result", "detail", "fix"]
    assert len(lines) == 11


def test_a_model_that_cannot_be_reached_is_a_warning_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    for name, value in {
        "PROVIDER": "compatible",
        "MODEL": "m",
        "BASE_URL": f"http://127.0.0.1:{free_port}/v1",
    }.items():
        monkeypatch.setenv(f"BASCULE_LLM__{name}", value)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    found = examined(tmp_path / "new")["assistant"]
    assert found["result"] == "warning"
    assert f"127.0.0.1:{free_port} cannot be reached" in found["detail"]
    assert "llm.base_url" in found["fix"]


def test_a_look_that_cannot_be_read_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASCULE_CHAT__THEME_FILE", str(tmp_path / "none.yaml"))
    found = examined(tmp_path / "new", 7)["assistant"]
    assert (found["result"], "cannot be read" in found["detail"]) == ("failed", True)
