"""What a governed call costs, beside a bare proxy and the upstream alone."""
