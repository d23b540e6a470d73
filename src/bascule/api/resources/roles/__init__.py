"""Roles, and what there is to permit."""
