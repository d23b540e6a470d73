"""What evaluates Rego: child processes with the embedded engine, or an OPA server."""
