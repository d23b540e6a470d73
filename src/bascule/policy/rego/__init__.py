"""Policies written in Rego: what they are asked, what they read of it, and what they answered."""
