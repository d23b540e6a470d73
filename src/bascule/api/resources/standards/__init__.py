"""Metadata standards."""
