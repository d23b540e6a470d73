"""Is it safe: schemas and limits, checked both ways."""
