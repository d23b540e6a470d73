"""Finding and making the plugins that an operator enabled."""

import asyncio
import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import ClassVar, Final

import structlog

from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.gateway.likeness import closest
from bascule.plugins.contract import ENTRY_POINTS, Plugin, PluginContext

_log = structlog.get_logger(__name__)
_UNKNOWN: Final = "unknown"
_CLOSING_SECONDS: Final = 5.0


class PluginUnusable(GatewayError):
    """An enabled plugin is not installed, or cannot be made. The gateway does not start without."""

    error: ClassVar[ErrorCode] = ErrorCode.UNAVAILABLE


@dataclass(frozen=True, slots=True)
class Installed:
    """A plugin that is there: `package` is the distribution it came with."""

    name: str
    package: str
    version: str
    entry: EntryPoint


@dataclass(frozen=True, slots=True)
class Loaded:
    """A plugin in use."""

    name: str
    package: str
    version: str
    plugin: Plugin


def installed_plugins() -> tuple[Installed, ...]:
    """Every plugin of this Python environment, by name; none of them is imported."""
    found = (
        Installed(
            entry.name,
            entry.dist.name if entry.dist else _UNKNOWN,
            entry.dist.version if entry.dist else _UNKNOWN,
            entry,
        )
        for entry in entry_points(group=ENTRY_POINTS)
    )
    return tuple(sorted(found, key=lambda one: (one.name, one.package)))


def load_plugins(
    enabled: Sequence[str],
    installed: Iterable[Installed],
    settings: Mapping[str, Mapping[str, object]],
    environment: str,
) -> tuple[Loaded, ...]:
    """Import and make the `enabled` plugins, in their order.

    Raises:
        PluginUnusable: one is not there, there twice, breaks, or is no plugin; says which and why.
    """
    everything = tuple(installed)
    loaded = tuple(
        _load(_chosen(name, everything), PluginContext(name, environment, settings.get(name, {})))
        for name in enabled
    )
    _check_connectors(loaded)
    for one in loaded:
        _log.info("plugin.loaded", plugin=one.name, package=one.package, version=one.version)
    return loaded


async def close_plugins(loaded: Iterable[Loaded]) -> None:
    """Close every plugin, the last one first; what one does wrong does not keep the others."""
    for one in reversed(tuple(loaded)):
        try:
            async with asyncio.timeout(_CLOSING_SECONDS):
                await one.plugin.close()
        except Exception:  # noqa: BLE001 - the edge to code that is not ours
            _log.exception("plugin.not_closed", plugin=one.name)


def _chosen(name: str, installed: Sequence[Installed]) -> Installed:
    fitting = [one for one in installed if one.name == name]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        packages = " and ".join(one.package for one in fitting)
        raise PluginUnusable(
            f"Two packages have a plugin named {name}: {packages}. Uninstall one of them."
        )
    likely = closest(name, [one.name for one in installed])
    hint = f" Did you mean {likely}?" if likely else ""
    raise PluginUnusable(
        f"plugins.enabled names {name}, which is not installed here.{hint} Install its package "
        "into the Python environment of Bascule; `bascule plugins list --installed` shows what is "
        "there."
    )


def _load(chosen: Installed, context: PluginContext) -> Loaded:
    where = f"The plugin {chosen.name} (package {chosen.package} {chosen.version})"
    try:
        made = chosen.entry.load()(context)
    except Exception as failure:
        _log.exception("plugin.broke", plugin=chosen.name)
        raise PluginUnusable(
            f"{where} cannot be used: {type(failure).__name__}: {failure}. Mend its settings or "
            "the package, or take it out of plugins.enabled.",
        ) from failure
    if not isinstance(made, Plugin):
        raise PluginUnusable(
            f"{where} gave {type(made).__name__}, not bascule.plugins.Plugin. Its author must "
            "mend it; take it out of plugins.enabled."
        )
    _check_stages(where, made)
    return Loaded(chosen.name, chosen.package, chosen.version, made)


def _check_stages(where: str, plugin: Plugin) -> None:
    for stage in (placed.stage for placed in plugin.stages):
        for name in ("name", "on_failure", "inbound"):
            if not hasattr(stage, name):
                raise PluginUnusable(f"{where} has a stage {type(stage).__name__} without {name}.")
        if not inspect.iscoroutinefunction(stage.inbound):
            raise PluginUnusable(f"{where}: {type(stage).__name__}.inbound is no async function.")


def _check_connectors(loaded: Iterable[Loaded]) -> None:
    owners: dict[str, str] = {}
    for one in loaded:
        for name in one.plugin.connectors:
            if not name or ":" in name:
                raise PluginUnusable(
                    f"The plugin {one.name} names a connector {name!r}; a name has no colon."
                )
            if name in owners:
                raise PluginUnusable(
                    f"The plugins {owners[name]} and {one.name} both have a connector {name}. "
                    "Take one of them out of plugins.enabled."
                )
            owners[name] = one.name
