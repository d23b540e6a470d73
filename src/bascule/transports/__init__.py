"""How a call gets in."""
