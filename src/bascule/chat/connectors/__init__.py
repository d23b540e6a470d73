"""Models of providers. Each module imports its provider's library: import only what is used."""
