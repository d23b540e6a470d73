"""Questions about what the policies decide: why, who can, what if, and what would have been."""
