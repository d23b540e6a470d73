"""The tools in force, as those who call them name them."""

from collections.abc import Set as AbstractSet
from functools import cached_property

from bascule.gateway.snapshot import TenantView
from bascule.gateway.tool import McpSource


class KnownTools:
    """Says whether a tool is in force at an endpoint, without going through all of them."""

    def __init__(self, view: TenantView) -> None:
        self._tools = view.tools

    def is_of(self, view: TenantView) -> bool:
        """Whether these are the tools of `view`."""
        return self._tools is view.tools

    def lists(self, server: str, name: str) -> bool:
        """Whether a tool in force is the one that `server` calls `name`."""
        return (server, name) in self._relayed

    @cached_property
    def _relayed(self) -> AbstractSet[tuple[str, str]]:
        sources = (tool.source for tool in self._tools.values())
        return {(one.upstream, one.name) for one in sources if isinstance(one, McpSource)}

    def has(self, where: str, name: str) -> bool:
        """Whether the endpoint `where`, "" for the one of everything, has the tool `name`.

        A tool of that name at another endpoint is no reason not to ask that endpoint's server.
        """
        tool = self._tools.get(name)
        if not where:
            return tool is not None
        return (tool is not None and tool.bundle == where) or (where, name) in self._own

    @cached_property
    def _own(self) -> AbstractSet[tuple[str, str]]:
        """Where tools of servers go by another name than here."""
        return {
            (tool.bundle, tool.source.name)
            for tool in self._tools.values()
            if isinstance(tool.source, McpSource) and tool.source.name != tool.name
        }
