import io
import json
import logging
from collections.abc import Iterator
from typing import NoReturn

import pytest
import structlog

from bascule.telemetry.logs import LogFormat, configure_logging


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Logging is one per process; leave it as it was found."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def fail(error: Exception) -> NoReturn:
    raise error


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_object_with_time_level_event_logger_and_correlation_id():
    stream = io.StringIO()
    configure_logging("info", "json", stream)
    with structlog.contextvars.bound_contextvars(correlation_id="c-1"):
        structlog.get_logger("bascule.audit").info("journal.repaired", removed_bytes=3)
    (line,) = lines(stream)
    assert list(line)[:5] == ["timestamp", "level", "event", "logger", "correlation_id"]
    assert line | {"timestamp": ""} == {
        "timestamp": "",
        "level": "info",
        "event": "journal.repaired",
        "logger": "bascule.audit",
        "correlation_id": "c-1",
        "removed_bytes": 3,
    }
    assert str(line["timestamp"]).endswith("Z")


@pytest.mark.parametrize("name", ["uvicorn", "uvicorn.error", "uvicorn.access", "some.library"])
def test_lines_of_libraries_have_the_same_form(name: str):
    stream = io.StringIO()
    logging.getLogger(name).addHandler(own := logging.StreamHandler(io.StringIO()))
    logging.getLogger(name).propagate = name == "some.library"
    configure_logging("info", "json", stream)
    logging.getLogger(name).warning("%s said %d", "he", 3)
    (line,) = lines(stream)
    assert (line["event"], line["logger"], line["level"]) == ("he said 3", name, "warning")
    logging.getLogger(name).removeHandler(own)


def test_the_level_is_a_floor_for_everybody_and_can_be_changed():
    stream = io.StringIO()
    log = structlog.get_logger("bascule.x")
    configure_logging("WARNING", "json", stream)
    log.info("not.this")
    logging.getLogger("library").info("nor this")
    log.warning("this")
    configure_logging("debug", "json", stream)
    log.debug("this.too")
    assert [line["event"] for line in lines(stream)] == ["this", "this.too"]


def test_an_unknown_level_changes_nothing():
    stream = io.StringIO()
    configure_logging("info", "json", stream)
    with pytest.raises(ValueError, match="use debug, info"):
        configure_logging("loud", "json", io.StringIO())
    structlog.get_logger("x").info("still.here")
    assert len(lines(stream)) == 1


def test_secrets_do_not_reach_the_stream():
    stream = io.StringIO()
    configure_logging("info", "json", stream)
    structlog.get_logger("x").info(
        "upstream.called", headers={"Authorization": "Bearer hunter2-abcdef"}, api_key="hunter2-x"
    )
    logging.getLogger("some.library").info('"GET /x?token=%s HTTP/1.1"', "hunter2-y")
    try:
        fail(ValueError("postgresql://u:hunter2@h/db"))
    except ValueError:
        structlog.get_logger("x").exception("database.unreachable")
    assert "hunter2" not in stream.getvalue()
    assert len(lines(stream)) == 3


def test_an_exception_is_text_with_its_type_and_without_local_variables():
    stream = io.StringIO()
    configure_logging("info", "json", stream)
    local_value = "visible-only-in-locals"
    try:
        fail(LookupError(len(local_value)))
    except LookupError as error:
        structlog.get_logger("x").error("call.crashed", exc_info=error)
        logging.getLogger("library").exception("failed")
    ours, theirs = lines(stream)
    for line in (ours, theirs):
        assert line["exception_type"] == "LookupError"
        assert str(line["exception"]).startswith("Traceback (most recent call last):")
        assert str(line["exception"]).endswith("LookupError: 22")
        assert local_value not in str(line["exception"])


def test_exc_info_without_an_exception_is_no_exception():
    stream = io.StringIO()
    configure_logging("info", "json", stream)
    structlog.get_logger("x").error("odd", exc_info=True)
    assert "exception" not in lines(stream)[0]


def test_a_line_break_in_a_value_makes_no_second_line():
    stream = io.StringIO()
    for log_format in LogFormat:
        configure_logging("info", log_format, stream)
        logging.getLogger("x").info("one\n2026-01-01 forged")
        structlog.get_logger("x").info("event", value="one\ntwo\x1b[2J")
    assert len(stream.getvalue().splitlines()) == 4
    assert "\x1b" not in stream.getvalue()


def test_what_json_cannot_hold_is_logged_all_the_same():
    stream = io.StringIO()
    configure_logging("info", "json", stream)
    structlog.get_logger("x").info("odd", a="\ud800", b={1: {2}}, c=object, d=float("nan"), e=b"x")
    (line,) = lines(stream)
    assert (line["a"], line["b"], line["d"]) == ("\\ud800", {"1": [2]}, None)


@pytest.mark.parametrize(
    ("stream", "environ", "coloured"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_colour_needs_a_terminal_and_no_objection(
    stream: io.StringIO, environ: dict[str, str], coloured: bool
):
    configure_logging("info", "console", stream, environ=environ)
    try:
        fail(ValueError("why"))
    except ValueError:
        structlog.get_logger("x").exception("call.crashed", tool="t")
    assert ("\x1b[" in stream.getvalue()) is coloured
    assert "call.crashed" in stream.getvalue()
    assert "ValueError: why" in stream.getvalue()


def test_json_is_never_coloured():
    stream = Terminal()
    configure_logging("info", "json", stream, environ={})
    structlog.get_logger("x").info("event")
    assert "\x1b" not in stream.getvalue()


def test_lines_go_to_standard_error_by_default(capsys: pytest.CaptureFixture[str]):
    configure_logging("info")
    structlog.get_logger("x").info("event")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert '"event":"event"' in captured.err
