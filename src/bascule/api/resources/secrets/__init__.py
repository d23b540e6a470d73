"""Secrets of a tenant: written, used, and never read back."""
