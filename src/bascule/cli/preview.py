"""What an import would make, where there is no instance to ask: no server, no database, no key."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from bascule.app.ready import read_ready
from bascule.cli.connection import Target
from bascule.cli.documents import Upload, fetch

_NONE: Final[Mapping[str, Any]] = {}


def is_nowhere(target: Target) -> bool:
    """Whether there is neither an instance nor a data directory to compare with."""
    return target.url is None and not target.data.is_dir() and read_ready(target.data) is None


def preview_here(
    upload: Upload,
    bundle: str,
    base_url: str | None,
    allow_hosts: Sequence[str],
    *,
    labels: Mapping[str, Any] = _NONE,
    will_publish: bool = False,
) -> dict[str, Any]:
    """What the REST API would answer to a dry run on an empty registry.

    `labels` are the form's `owner`, `domain` and `tags`, as far as they are given.

    Raises:
        DocumentRejected: the document cannot be used.
    """
    # Only here: it takes longer to load than most commands to run.
    from bascule.api.resources.specs.labels import Labels, label
    from bascule.api.resources.specs.reports import preview
    from bascule.catalogue.openapi import convert, read_upload
    from bascule.catalogue.openapi.remote import only_from

    source = read_upload(upload.content, upload.name)
    if upload.url:
        source = replace(source, url=upload.url)
    fetching = only_from(allow_hosts, fetch) if allow_hosts else None
    conversion = convert(source, base_url=base_url, fetch=fetching)
    said = Labels(labels.get("owner"), labels.get("domain"), tuple(labels.get("tags", ())))
    conversion = label(conversion, said)
    return preview(conversion, bundle, will_publish=will_publish).model_dump(mode="json")
