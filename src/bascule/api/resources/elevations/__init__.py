"""Requests for elevation, and decisions about them."""
