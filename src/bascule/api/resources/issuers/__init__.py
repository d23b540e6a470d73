"""Issuers of access tokens."""
