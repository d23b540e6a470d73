"""Do it: the services behind the gateway."""
