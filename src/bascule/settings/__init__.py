"""What an operator can set, and where each value came from."""
