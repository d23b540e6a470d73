"""Services behind the gateway, and how they are reached."""
