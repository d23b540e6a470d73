"""Each location has styles of its own."""

from bascule.catalogue.openapi.styles import STYLES, is_token
from bascule.gateway.tool import ParameterLocation


def test_the_usual_style_comes_first() -> None:
    usual = {location: styles[0] for location, styles in STYLES.items()}

    assert usual == {
        ParameterLocation.PATH: "simple",
        ParameterLocation.QUERY: "form",
        ParameterLocation.HEADER: "simple",
        ParameterLocation.COOKIE: "form",
    }


def test_names_of_headers_are_tokens() -> None:
    assert is_token("X-Trace")
    assert not is_token("")
    assert not is_token("a: b\r\n")
