"""May they: rules in, decisions out. No I/O."""
