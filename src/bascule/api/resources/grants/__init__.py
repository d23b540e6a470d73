"""What upstreams gave this gateway on behalf of callers."""
