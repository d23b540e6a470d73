"""Which client certificates are known."""
