"""Settings read again on SIGHUP: what is safe takes effect, the rest says it needs a restart."""

import asyncio
import signal
from collections.abc import Callable

import structlog

from bascule.settings.description import describe
from bascule.settings.loading import Loaded
from bascule.telemetry.logs import configure_logging

_log = structlog.get_logger(__name__)


def apply_logging(loaded: Loaded) -> None:
    """Log as `loaded` says from now on."""
    chosen = loaded.settings.observability
    configure_logging(chosen.log_level, chosen.log_format)


def reload_on_hangup(in_force: Loaded, read: Callable[[], Loaded]) -> None:
    """Read the settings again with each SIGHUP, for the running event loop.

    Settings that do not hold together change nothing, and the log says why.
    """
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _reload, in_force, read)


def _reload(in_force: Loaded, read: Callable[[], Loaded]) -> None:
    try:
        fresh = read()
    except Exception as failure:  # noqa: BLE001 - a slip in a file must not end a running gateway
        _log.error("settings.not_reloaded", reason=str(failure))
        return
    apply_logging(fresh)
    before = {row.key: row.value for row in describe(in_force)}
    waiting = [
        row.key for row in describe(fresh) if row.needs_restart and row.value != before[row.key]
    ]
    _log.warning("settings.reloaded", needs_restart=waiting)
