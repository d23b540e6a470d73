"""The official conformance suite, run directly and through the gateway."""
