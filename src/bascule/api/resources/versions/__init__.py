"""Versions of tools."""
