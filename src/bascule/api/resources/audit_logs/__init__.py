"""The audit journal, read."""
