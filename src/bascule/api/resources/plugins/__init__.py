"""Plugins: `/api/admin/plugins`."""
