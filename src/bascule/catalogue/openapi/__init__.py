"""OpenAPI documents turned into tools."""

from bascule.catalogue.openapi.conversion import convert
from bascule.catalogue.openapi.drafts import Conversion, ToolDraft
from bascule.catalogue.openapi.findings import DocumentRejected, Finding
from bascule.catalogue.openapi.remote import Fetch, FetchFailed
from bascule.catalogue.openapi.sources import DocumentSource, read_upload

__all__ = [
    "Conversion",
    "DocumentRejected",
    "DocumentSource",
    "Fetch",
    "FetchFailed",
    "Finding",
    "ToolDraft",
    "convert",
    "read_upload",
]
