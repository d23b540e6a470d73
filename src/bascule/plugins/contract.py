"""What a plugin is given, and what it gives."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from bascule.gateway.record import Observer
from bascule.gateway.stage import Stage
from bascule.plugins.connecting import ToolConnector
from bascule.plugins.guarding import Guard

ENTRY_POINTS: Final = "bascule.plugins"
"""The group of entry points under which plugins are found."""


class Slot(StrEnum):
    """Where a stage has its place. Stages of one slot run in the order of `plugins.enabled`.

    Results pass the stages in reverse.
    """

    IDENTIFIED = "identified"
    """The caller is known (`call.principal`); nothing is known of what it calls."""
    AUTHORISED = "authorised"
    """The rules allowed the call (`call.tool`); the arguments are as they came."""
    VALIDATED = "validated"
    """The arguments fit the tool's schema. Results have been held against the output schema."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A stage and its slot."""

    slot: Slot
    stage: Stage


@dataclass(frozen=True, slots=True)
class PluginContext:
    """What a plugin is told when it is made.

    `settings` is what the operator wrote for it in `plugins.settings_file`, references resolved;
    `environment` is `app.environment`.
    """

    name: str
    environment: str
    settings: Mapping[str, object] = field(default_factory=dict[str, object], repr=False)


async def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Plugin:
    """What a plugin adds. `close` runs once, when the gateway ends.

    `connectors` are named by what stands before the colon in the address of what they connect to.
    """

    stages: Sequence[Placed] = ()
    guards: Sequence[Guard] = ()
    connectors: Mapping[str, ToolConnector] = field(default_factory=dict[str, ToolConnector])
    observers: Sequence[Observer] = ()
    close: Callable[[], Awaitable[None]] = _nothing
