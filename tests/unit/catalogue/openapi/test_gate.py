"""The gate opens for Swagger 2.0 and OpenAPI 3.0 to 3.2 and names everything else."""

import pytest

from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import DocumentRejected
from bascule.catalogue.openapi.gate import admit

PATHS = {"/a": {"get": {}}}


@pytest.mark.parametrize(
    ("head", "dialect", "is_3_0"),
    [
        ({"openapi": "3.0.3"}, "3.0", True),
        ({"openapi": "3.0"}, "3.0", True),
        ({"openapi": 3.0}, "3.0", True),
        ({"openapi": "3.1.0"}, "3.1", False),
        ({"openapi": 3.1}, "3.1", False),
        ({"openapi": "3.1.9-x"}, "3.1", False),
        ({"openapi": "3.2.0"}, "3.2", False),
        ({"swagger": "2.0"}, "2.0", True),
        ({"swagger": 2.0}, "2.0", True),
        ({"swagger": 2}, "2.0", True),
    ],
)
def test_accepted_versions_pass(head: dict[str, object], dialect: str, is_3_0: bool) -> None:
    admission = admit(Node({**head, "info": {"title": " T ", "version": 2}, "paths": PATHS}, ()))

    assert (admission.title, admission.version) == ("T", "2")
    assert (admission.dialect, admission.is_3_0) == (dialect, is_3_0)


def test_a_document_without_a_head_still_has_a_title() -> None:
    admission = admit(Node({"openapi": "3.1.0", "paths": PATHS}, ()))

    assert (admission.title, admission.version) == ("Untitled API", "0")


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "not an object"),
        ("text", "not an object"),
        ({"swagger": "1.2"}, "Swagger 1.2 is not accepted"),
        ({"swaggerVersion": "1.2"}, "Swagger 1.2 is not accepted"),
        ({"openapi": "4.0.0"}, "OpenAPI 4.0.0 is not accepted"),
        ({"openapi": "3.10.0"}, "OpenAPI 3.10.0 is not accepted"),
        ({"openapi": "2.0", "swagger": "2.0"}, "OpenAPI 2.0 is not accepted"),
        ({"openapi": None}, "no `openapi` or `swagger` member"),
        ({"asyncapi": "2.6.0"}, "AsyncAPI"),
        ({"info": {"schema": "https://schema.getpostman.com/json/c.json"}}, "Postman"),
        ({"openapi": "3.1.0"}, "no paths"),
        ({"openapi": "3.1.0", "paths": {}}, "no paths"),
        ({"openapi": "3.1.0", "paths": []}, "must be an object"),
        ({"openapi": "3.1.0", "webhooks": {"a": {}}}, "only webhooks"),
    ],
)
def test_anything_else_is_named(document: object, reason: str) -> None:
    with pytest.raises(DocumentRejected, match=reason):
        admit(Node(document, ()))
