"""One stream of log lines: ours and those of every library, alike in form and free of secrets."""

import logging
import os
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from enum import StrEnum
from typing import Any, Final, TextIO

import msgspec
import structlog
from structlog.typing import Processor

from bascule.telemetry.redaction import redact_members

_HANDLER_NAME: Final = "bascule"
# uvicorn gives these their own handlers unless started with log_config=None.
# They tell of their own doings at info, in words an operator has no use for.
_TALKATIVE_LIBRARIES: Final = ("aiosqlite", "alembic", "httpx2", "httpcore2")
_LIBRARIES_WITH_HANDLERS: Final = ("uvicorn", "uvicorn.error", "uvicorn.access")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_ORDER: Final = ("timestamp", "level", "event", "logger", "correlation_id")

_EventDict = MutableMapping[str, Any]


class LogFormat(StrEnum):
    """One JSON object per line, or lines for people."""

    JSON = "json"
    CONSOLE = "console"


def configure_logging(
    level: str,
    log_format: LogFormat | str = LogFormat.JSON,
    stream: TextIO | None = None,
    *,
    environ: Mapping[str, str] | None = None,
) -> None:
    """Send every log line of this process to `stream` (standard error) from `level` on.

    May be called again, with another level for instance; only the last call counts. Colour needs
    the console format, a terminal, and no `NO_COLOR` in `environ` (https://no-color.org).
    Start uvicorn with `log_config=None`, or it takes its lines elsewhere.
    """
    if level.upper() not in logging.getLevelNamesMapping():
        raise ValueError(f"no log level is called {level!r}; use debug, info, warning or error")
    target = sys.stderr if stream is None else stream
    colour = _wants_colour(target, os.environ if environ is None else environ)
    handler = logging.StreamHandler(target)
    handler.set_name(_HANDLER_NAME)
    handler.setFormatter(_formatter(LogFormat(log_format), colour=colour))
    root = logging.getLogger()
    for former in [one for one in root.handlers if one.get_name() == _HANDLER_NAME]:
        root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _LIBRARIES_WITH_HANDLERS:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    for name in _TALKATIVE_LIBRARIES:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,  # so that a second call reaches every logger
    )


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _formatter(log_format: LogFormat, *, colour: bool) -> logging.Formatter:
    rendering = [_json_line] if log_format is LogFormat.JSON else _console(colour=colour)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _exception_as_text,
            _redacted,
            *rendering,
        ],
    )


def _console(*, colour: bool) -> list[Processor]:
    return [
        _without_control_characters,
        structlog.dev.ConsoleRenderer(
            colors=colour,
            force_colors=colour,
            repr_native_str=True,
            # The default prints local variables, secrets among them.
            exception_formatter=structlog.dev.plain_traceback,
        ),
    ]


def _wants_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    return not environ.get("NO_COLOR") and environ.get("TERM") != "dumb" and stream.isatty()


def _exception_as_text(_logger: object, _method: str, event: _EventDict) -> _EventDict:
    """`exc_info` as `exception` (the traceback, without local variables) and `exception_type`."""
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given  # pyright: ignore[reportUnknownVariableType]
    if isinstance(error, BaseException):
        event["exception_type"] = type(error).__qualname__
        event["exception"] = "".join(traceback.format_exception(error)).rstrip()
    return event


def _redacted(_logger: object, _method: str, event: _EventDict) -> _EventDict:
    plain = redact_members(event)
    return {key: plain.pop(key) for key in _ORDER if key in plain} | plain


def _json_line(_logger: object, _method: str, event: _EventDict) -> str:
    return msgspec.json.encode(event).decode()


def _without_control_characters(_logger: object, _method: str, event: _EventDict) -> _EventDict:
    """Escape what would let a logged text move the cursor, recolour or forge a line."""
    for key in ("event", "exception"):
        text = event.get(key)
        if isinstance(text, str):
            event[key] = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
    event["event"] = str(event.get("event", "")).replace("\n", "\\n")
    return event
