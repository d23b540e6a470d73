"""How much and how soon: retries, breakers, and answers that are kept."""
