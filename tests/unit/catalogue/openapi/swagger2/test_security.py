"""Security definitions become security schemes."""

from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.swagger2.security import upgrade_security

TOKEN, AUTHORIZE = "https://a.test/token", "https://a.test/authorize"


def test_each_kind_has_its_form() -> None:
    key = {"type": "apiKey", "in": "query", "name": "key"}
    oauth = {
        "type": "oauth2", "flow": "accessCode", "description": "d", "scopes": {"read": "r"},
        "authorizationUrl": AUTHORIZE, "tokenUrl": TOKEN,
    }  # fmt: skip
    definitions = {
        "basic": {"type": "basic"}, "key": key, "oauth": oauth,
        "machine": {"type": "oauth2", "flow": "application", "tokenUrl": TOKEN},
        "odd": {"type": "oauth2", "flow": "unheard of"},
    }  # fmt: skip

    assert upgrade_security(Node(definitions, ())) == {
        "basic": {"type": "http", "scheme": "basic"},
        "key": key,
        "oauth": {
            "type": "oauth2", "description": "d",
            "flows": {"authorizationCode": {
                "authorizationUrl": AUTHORIZE, "tokenUrl": TOKEN, "scopes": {"read": "r"},
            }},
        },
        "machine": {
            "type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": TOKEN, "scopes": {}}},
        },
        "odd": {"type": "oauth2", "flows": {}},
    }  # fmt: skip


def test_none_are_none() -> None:
    assert upgrade_security(None) == {}
