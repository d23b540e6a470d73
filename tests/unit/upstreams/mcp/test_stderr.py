import structlog
from structlog.testing import capture_logs

from bascule.upstreams.mcp.stderr import StderrLog


def lines(logs: list) -> list[str]:
    return [entry["line"] for entry in logs if entry["event"] == "upstream.stderr"]


def test_lines_are_logged_with_the_name_of_the_upstream() -> None:
    with capture_logs() as logs:
        log = StderrLog("peer")
        log.feed(b"one\ntw")
        log.feed(b"o\r\n\nthree")
        log.end()
    assert lines(logs) == ["one", "two", "three"]
    assert {entry["upstream"] for entry in logs} == {"peer"}


def test_long_lines_are_cut_and_held_in_part_only() -> None:
    with capture_logs() as logs:
        log = StderrLog("peer")
        for _ in range(100):
            log.feed(b"a" * 1000)
        assert len(log._rest) == 2000
        log.feed(b"\n")
        log.feed(b"b" * 5000 + b"\n")
    assert [len(line) for line in lines(logs)] == [2000, 2000]


def test_flood_is_cut_and_counted() -> None:
    with capture_logs() as logs:
        log = StderrLog("peer")
        log.feed(b"x\n" * 500)
        log.end()
    assert len(lines(logs)) == 100
    assert logs[-1]["event"] == "upstream.stderr_dropped"
    assert logs[-1]["lines"] == 400


def test_bytes_that_are_no_text_are_logged_all_the_same() -> None:
    structlog.reset_defaults()
    with capture_logs() as logs:
        StderrLog("peer").feed(b"\xff\xfe\n")
    assert len(lines(logs)) == 1
