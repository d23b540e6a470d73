"""What can be called: API documents turned into tools."""
