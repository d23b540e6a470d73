"""State that gateway processes share: in memory, or in Redis."""
