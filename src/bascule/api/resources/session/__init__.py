"""Signing in by program: what the console does."""
