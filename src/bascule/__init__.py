"""Bascule: the gateway between AI agents and the tools they may use."""

__version__ = "0.1.0"
