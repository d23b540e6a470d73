"""`/api/admin/openapi`."""

from typing import Annotated, Final

from fastapi import APIRouter, File, Form, UploadFile

from bascule.api.access import ControlPlane, ToolWriter
from bascule.api.names import BundleName
from bascule.api.resources.specs import service
from bascule.api.resources.specs.schemas import ImportReport
from bascule.catalogue.openapi.syntax import MAX_DOCUMENT_BYTES

MOST_UPLOAD_BYTES: Final = MAX_DOCUMENT_BYTES + 1_048_576
"""The largest document that is read, and what the form around it may take."""

router = APIRouter(prefix="/api/admin/openapi", tags=["openapi"])


@router.post("")
async def import_openapi(
    control: ControlPlane,
    caller: ToolWriter,
    file: Annotated[UploadFile, File(description="OpenAPI 3.0 or 3.1, YAML or JSON.")],
    bundle_id: Annotated[BundleName, Form(description="Name of a bundle; made if missing.")],
    auto_publish: Annotated[bool, Form(description="Publish at once; else drafts.")] = False,
    dry_run: Annotated[bool, Form(description="Report only; change nothing.")] = False,
    base_url: Annotated[
        str | None, Form(max_length=2000, description="Where the API is; default: its server.")
    ] = None,
) -> ImportReport:
    """Import an OpenAPI document: each operation becomes a tool."""
    order = service.ImportOrder(
        document=await file.read(),
        bundle=bundle_id,
        publish=auto_publish,
        dry_run=dry_run,
        base_url=base_url,
    )
    return await service.import_document(control, caller, order)
