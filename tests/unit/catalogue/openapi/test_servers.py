"""The base URL is the operator's, or the first server's, and a complete address."""

import pytest

from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import DocumentRejected
from bascule.catalogue.openapi.servers import choose_base_url, first_server

HERE = Node({"servers": [{"url": "https://api.example.com/v1/"}]}, ())


def test_the_first_server_is_the_base_url() -> None:
    assert choose_base_url(HERE, None) == "https://api.example.com/v1"


def test_the_operator_overrides_the_document() -> None:
    assert choose_base_url(HERE, "http://127.0.0.1:8080/") == "http://127.0.0.1:8080"


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
def test_a_server_that_is_no_address_is_rejected_with_the_remedy(servers: object) -> None:
    with pytest.raises(DocumentRejected, match="--base-url"):
        choose_base_url(Node({"servers": servers}, ()), None)


def test_a_base_url_of_the_operator_is_checked_too() -> None:
    with pytest.raises(DocumentRejected, match="password"):
        choose_base_url(HERE, "https://user:secret@host")
