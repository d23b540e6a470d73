"""How it is going: logs and metrics."""
