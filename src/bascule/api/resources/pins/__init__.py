"""Definitions of MCP tools that were approved, and those that wait for it."""
