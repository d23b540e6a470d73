"""Policies as JSON: what they may say, what is wrong with them, and what a change changes."""
