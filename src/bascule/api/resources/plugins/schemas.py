"""Plugins as the REST API shows them."""

from pydantic import BaseModel

from bascule.plugins import Slot


class PluginStage(BaseModel):
    """A stage of a plugin, and where it has its place."""

    slot: Slot
    name: str


class Plugin(BaseModel):
    """A plugin in use, and what it adds."""

    name: str
    package: str
    version: str
    stages: list[PluginStage]
    guards: list[str]
    connectors: list[str]
    observers: int


class PluginList(BaseModel):
    """The plugins in use, in their order."""

    plugins: list[Plugin]
    total: int
