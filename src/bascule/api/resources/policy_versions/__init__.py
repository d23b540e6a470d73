"""Versions of policies, drafts of new ones, and the tests they are held to."""
