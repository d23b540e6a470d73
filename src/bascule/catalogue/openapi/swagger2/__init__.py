"""Swagger 2.0 documents in the words of OpenAPI 3.0."""

from bascule.catalogue.openapi.swagger2.upgrade import Upgraded, upgrade

__all__ = ["Upgraded", "upgrade"]
