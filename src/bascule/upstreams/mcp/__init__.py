"""MCP servers as upstreams: over HTTP or as child processes, of either era."""

from bascule.upstreams.mcp.failures import UpstreamRpcError
from bascule.upstreams.mcp.settings import McpConfig
from bascule.upstreams.mcp.tools import RelayedTool
from bascule.upstreams.mcp.upstream import Bridge, McpUpstream

__all__ = ["Bridge", "McpConfig", "McpUpstream", "RelayedTool", "UpstreamRpcError"]
