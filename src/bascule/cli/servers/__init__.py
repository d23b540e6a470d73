"""What the commands that serve run; imported by them alone, since it loads the whole server."""
