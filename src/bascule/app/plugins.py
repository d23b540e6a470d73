"""The plugins of an instance: loaded once, before anything is opened, and closed at its end."""

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import yaml

from bascule.gateway.record import Observer
from bascule.gateway.stage import Stage
from bascule.plugins import Slot, ToolConnector
from bascule.plugins.bounding import SafeObserver, bounded
from bascule.plugins.guarding import GuardStage
from bascule.plugins.loading import (
    Loaded,
    PluginUnusable,
    close_plugins,
    installed_plugins,
    load_plugins,
)
from bascule.settings import model
from bascule.settings.references import ReferenceFailed, Resolver

_MOST_FILE_BYTES: Final = 1_048_576


@dataclass(frozen=True, slots=True)
class Plugins:
    """What the plugins in use add, each in its place."""

    loaded: tuple[Loaded, ...]
    stages: Mapping[Slot, Sequence[Stage]]
    observers: tuple[Observer, ...]
    connectors: Mapping[str, ToolConnector]


NONE: Final = Plugins((), {}, (), {})


@asynccontextmanager
async def open_plugins(settings: model.Settings) -> AsyncGenerator[Plugins]:
    """Make the enabled plugins; they are closed with the block.

    Raises:
        PluginUnusable: one of them, or its settings, cannot be used.
    """
    wanted = settings.plugins
    written = await asyncio.to_thread(_read, wanted)
    # Not in a thread: what a plugin makes may belong to this event loop.
    loaded = load_plugins(
        wanted.enabled,
        installed_plugins() if wanted.enabled else (),
        written,
        settings.app.environment,
    )
    try:
        yield gather(loaded)
    finally:
        await close_plugins(loaded)


def gather(loaded: Sequence[Loaded]) -> Plugins:
    """What `loaded` plugins add; guards come after the stages of their slot."""
    stages: dict[Slot, list[Stage]] = {}
    for one in loaded:
        for placed in one.plugin.stages:
            stages.setdefault(placed.slot, []).append(bounded(one.name, placed.stage))
    for one in loaded:
        for guard in one.plugin.guards:
            stage = bounded(one.name, GuardStage(guard))
            stages.setdefault(Slot.VALIDATED, []).append(stage)
    observers = tuple(
        SafeObserver(one.name, each) for one in loaded for each in one.plugin.observers
    )
    connectors = {name: each for one in loaded for name, each in one.plugin.connectors.items()}
    return Plugins(tuple(loaded), stages, observers, connectors)


def _read(wanted: model.Plugins) -> Mapping[str, Mapping[str, object]]:
    if not wanted.settings_file:
        return {}
    path = Path(wanted.settings_file)
    try:
        if path.stat().st_size > _MOST_FILE_BYTES:
            raise PluginUnusable(f"plugins.settings_file: {path} is larger than 1 MiB.")
        found = cast("object", yaml.safe_load(path.read_text()))
    except OSError as error:
        raise PluginUnusable(
            f"plugins.settings_file: {path} cannot be read: {error.strerror}. Mend the path."
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise PluginUnusable(
            f"plugins.settings_file: {path} is no YAML: {' '.join(str(error).split())[:300]}."
        ) from None
    sections = _mapping(found or {}, f"{path}")
    unknown = sorted(set(sections) - set(wanted.enabled))
    if unknown:
        raise PluginUnusable(
            f"plugins.settings_file: {path} has settings for {', '.join(unknown)}, which "
            "plugins.enabled does not name. Add the name there, or remove the settings."
        )
    resolver = Resolver(os.environ, path.parent)
    return {
        name: _mapping(_resolved(section or {}, resolver), f"{path}: {name}")
        for name, section in sections.items()
    }


def _mapping(found: object, where: str) -> Mapping[str, object]:
    if isinstance(found, Mapping) and all(
        isinstance(key, str) for key in cast("list[object]", found)
    ):
        return cast("Mapping[str, object]", found)
    raise PluginUnusable(f"plugins.settings_file: {where} must be a mapping of names.")


def _resolved(value: object, resolver: Resolver) -> object:
    if isinstance(value, Mapping):
        members = cast("Mapping[str, object]", value)
        return {key: _resolved(one, resolver) for key, one in members.items()}
    if isinstance(value, list):
        return [_resolved(one, resolver) for one in cast("list[object]", value)]
    if not isinstance(value, str):
        return value
    try:
        return resolver.expand(value)
    except ReferenceFailed as failure:
        raise PluginUnusable(f"plugins.settings_file: {failure}") from None
