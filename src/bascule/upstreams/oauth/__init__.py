"""Access to upstreams on behalf of each caller, by OAuth."""
