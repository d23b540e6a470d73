"""OpenAPI documents turned into tools."""

from bascule.catalogue.openapi.conversion import convert
from bascule.catalogue.openapi.drafts import Conversion, ToolDraft
from bascule.catalogue.openapi.findings import DocumentRejected, Finding

__all__ = ["Conversion", "DocumentRejected", "Finding", "ToolDraft", "convert"]
