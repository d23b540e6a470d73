"""The base URL is the operator's, or the first usable server's, and a complete address."""

import pytest

from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import DocumentRejected, Remarks, Unconvertible
from bascule.catalogue.openapi.servers import (
    UNKNOWN_SERVER,
    choose_base_url,
    first_server,
    own_server,
)

HERE = Node({"servers": [{"url": "https://api.example.com/v1/"}]}, ())


def test_the_first_server_is_the_base_url() -> None:
    assert choose_base_url(HERE, None, Remarks()) == "https://api.example.com/v1"


def test_the_operator_overrides_the_document() -> None:
    assert choose_base_url(HERE, "http://127.0.0.1:8080/", Remarks()) == "http://127.0.0.1:8080"


def test_variables_take_their_defaults() -> None:
    server = {
        "url": "https://{host}:{port}/{base}",
        "variables": {
            "host": {"default": "api.test"}, "port": {"default": "8443"}, "base": {"default": "v2"},
        },
    }  # fmt: skip

    assert first_server(Node({"servers": [server]}, ())) == "https://api.test:8443/v2"


@pytest.mark.parametrize(
    "servers",
    [
        None,
        [],
        [{"url": "/v1"}],
        [{"url": "//host/v1"}],
        [{"url": "https://{host}/"}],
        [{"url": "ftp://host"}],
        [{"url": "https://user:secret@host"}],
        [{"url": "https://host/?key=1"}],
        [{"url": "https://host:99999"}],
        [{"url": "https://ho st"}],
        [{"url": "https://[::1"}],
    ],
)
def test_without_a_usable_server_the_remedy_is_said(servers: object) -> None:
    remarks = Remarks()

    assert choose_base_url(Node({"servers": servers}, ()), None, remarks) == ""
    (finding,) = remarks.findings({})
    assert "--base-url" in finding.message


def test_a_server_that_cannot_be_used_gives_way_to_one_that_can() -> None:
    servers = [{"description": "no url"}, {"url": "https://{region}/"}, {"url": "https://a.test"}]
    remarks = Remarks()

    assert choose_base_url(Node({"servers": servers}, ()), None, remarks) == "https://a.test"
    assert [one.location for one in remarks.findings({})] == ["#/servers/1/url"]


@pytest.mark.parametrize(
    ("servers", "address"),
    [
        ([{"url": "/v1"}], "https://example.com/v1"),
        ([{"url": "v1/"}], "https://example.com/docs/v1"),
        ([{"url": "//api.example.com"}], "https://api.example.com"),
        ([], "https://example.com"),
    ],
)
def test_a_server_may_be_relative_to_where_the_document_was(servers: object, address: str) -> None:
    root, remarks = Node({"servers": servers}, ()), Remarks()

    found = choose_base_url(root, None, remarks, "https://example.com/docs/openapi.json")

    assert (found, remarks.findings({})) == (address, ())


def test_a_base_url_of_the_operator_is_checked_too() -> None:
    with pytest.raises(DocumentRejected, match="password"):
        choose_base_url(HERE, "https://user:secret@host", Remarks())


def test_an_operation_may_have_a_server_of_its_own() -> None:
    base, nothing = "https://api.example.com/v1", Node({}, ("paths", "/a"))
    other = Node({"servers": [{"url": "https://upload.example.com/"}]}, ("x",))
    same = Node({"servers": [{"url": f"{base}/"}]}, ("x",))
    relative = Node({"servers": [{"url": "../v2"}]}, ("y",))
    remarks = Remarks()

    assert own_server(nothing, other, base, remarks) == "https://upload.example.com"
    assert own_server(relative, other, base, remarks) == "https://api.example.com/v2"
    assert own_server(same, other, base, remarks) == ""
    assert own_server(nothing, nothing, base, remarks) == ""
    assert own_server(nothing, other, "", remarks) == "https://upload.example.com"
    assert [one.location for one in remarks.findings({})] == ["#/x/servers", "#/y/servers"]


def test_a_server_of_an_operation_that_is_no_address_is_never_guessed() -> None:
    own = Node({"servers": [{"url": "https://{your-host}"}]}, ("x",))
    remarks = Remarks()

    assert own_server(own, Node({}, ()), "https://a.test", remarks) == UNKNOWN_SERVER
    assert "variable without a default" in remarks.findings({})[0].message


def is_outside(host: str) -> bool:
    return host != "127.0.0.1"


def test_a_server_that_the_document_may_not_name_is_passed_over() -> None:
    inside, outside = {"url": "http://127.0.0.1/v1"}, {"url": "https://api.example.com"}
    for servers, url, found in [
        ([inside, outside], "", "https://api.example.com"),
        ([inside], "", ""),
        ([{"url": "/v1"}], "http://127.0.0.1/docs", ""),
        ([], "http://127.0.0.1/docs", ""),
    ]:
        remarks = Remarks()
        root = Node({"servers": servers}, ())
        assert choose_base_url(root, None, remarks, url, is_outside) == found
        assert "upstreams.allowed_networks" in remarks.findings({})[0].message
    assert choose_base_url(root, "http://127.0.0.1", Remarks(), "", is_outside)


def test_an_operation_on_a_server_that_may_not_be_named_cannot_become_a_tool() -> None:
    own = Node({"servers": [{"url": "http://127.0.0.1"}]}, ("paths",))
    with pytest.raises(Unconvertible, match="mcp:manage_servers"):
        own_server(own, Node({}, ()), "https://a.test", Remarks(), is_outside)
    assert own_server(own, Node({}, ()), "http://127.0.0.1", Remarks(), is_outside) == ""
