"""How people come in: passwords, issuers, sessions, and what guards them."""
