"""In what condition upstreams are: breakers and health."""
