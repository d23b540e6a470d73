"""`host`, `basePath` and `schemes` are one server."""

import pytest

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document, Node
from bascule.catalogue.openapi.shapes import JsonObject
from bascule.catalogue.openapi.swagger2.origins import Origins
from bascule.catalogue.openapi.swagger2.servers import own_servers, upgrade_servers


@pytest.mark.parametrize(
    ("root", "urls"),
    [
        (
            {"host": "a.test", "basePath": "/v1", "schemes": ["http", "https"]},
            ["https://a.test/v1"],
        ),
        ({"host": "a.test:8080", "schemes": ["http"]}, ["http://a.test:8080"]),
        ({"host": "a.test", "basePath": "v1", "schemes": ["https"]}, ["https://a.test/v1"]),
        ({"basePath": "/v1"}, ["/v1"]),
        ({"basePath": "/"}, []),
        ({"schemes": ["https"]}, []),
    ],
)
def test_the_parts_make_an_address(root: JsonObject, urls: list[str]) -> None:
    context = Context(Document(root), ignores_ref_siblings=True)

    servers = upgrade_servers(context.document.root, context, Origins())

    assert [server["url"] for server in servers] == urls
    assert context.remarks.findings({}) == ()


@pytest.mark.parametrize("schemes", [None, [], ["wss"], "https"])
def test_without_a_scheme_https_is_assumed_and_said(schemes: object) -> None:
    context = Context(Document({"host": "a.test", "schemes": schemes}), ignores_ref_siblings=True)

    servers = upgrade_servers(context.document.root, context, Origins())

    assert servers == [{"url": "https://a.test"}]
    assert [one.location for one in context.remarks.findings({})] == ["#/host"]


def test_an_operation_may_rule_the_scheme_out() -> None:
    here: list[JsonObject] = [{"url": "https://a.test/v1"}]

    def own(schemes: object, servers: list[JsonObject]) -> list[JsonObject]:
        return own_servers(Node({"schemes": schemes}, ()), servers)

    assert own(["http"], here) == [{"url": "http://a.test/v1"}]
    assert own(["http", "https"], here) == []
    assert own(["wss"], here) == []
    assert own(None, here) == []
    assert own(["http"], [{"url": "/v1"}]) == []
    assert own(["http"], []) == []
