"""Nobody gets at what is not theirs by writing a reference."""

import pytest

from bascule.api.caller import Caller
from bascule.api.references import check_headers, check_references, require_reference
from bascule.gateway.errors import Forbidden, InvalidValue
from bascule.gateway.principal import Principal

ADMIN = Caller(Principal("t", "ann", frozenset(), frozenset({"mcp:manage_servers"})), "c-1")
SYSTEM = Caller(Principal("t", "root", frozenset(), frozenset({"system_admin"})), "c-2")


@pytest.mark.parametrize(
    "text",
    ["${DATABASE_PASSWORD}", "x ${file:/etc/shadow}", "${vault:kv/x#f}", "${aws:x}", "${A:b}"],
)
def test_what_the_gateway_can_read_is_for_system_administrators(text: str) -> None:
    with pytest.raises(Forbidden) as caught:
        check_references(ADMIN, {"headers.X": text})
    assert "headers.X" in caught.value.public
    assert "${secret:NAME}" in caught.value.public
    check_references(SYSTEM, {"headers.X": text})


def test_a_tenants_own_secrets_and_plain_text_are_for_everybody() -> None:
    check_references(ADMIN, {"a": "Bearer ${secret:crm}", "b": "plain", "c": "$${HOME}"})


def test_a_malformed_reference_is_refused_to_everybody() -> None:
    for caller in (ADMIN, SYSTEM):
        with pytest.raises(InvalidValue, match=r"a: .*closing brace"):
            check_references(caller, {"a": "${oops"})


@pytest.mark.parametrize("text", ["hunter2", "$${x}", "${KEY:hunter2}"])
def test_a_secret_is_not_written_out(text: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        require_reference("client_secret", text)
    assert "hunter2" not in caught.value.public


@pytest.mark.parametrize("text", ["", "${secret:crm}", "Bearer ${KEY}", "${KEY:}"])
def test_a_secret_by_reference_is_taken(text: str) -> None:
    require_reference("client_secret", text)


def test_a_secret_in_a_header_is_not_written_out_where_that_is_asked() -> None:
    headers = {"Authorization": "Bearer hunter2"}
    check_headers(headers, strictly=False)
    for name in ("Authorization", "Ocp-Apim-Subscription-Key", "x-api-key"):
        with pytest.raises(InvalidValue, match=name) as caught:
            check_headers({name: "hunter2"}, strictly=True)
        assert "hunter2" not in caught.value.public
    check_headers({"Accept-Language": "en", "X-Api-Key": "${secret:k}"}, strictly=True)


@pytest.mark.parametrize("headers", [{"Host": "x"}, {"a b": "x"}, {"X": "a\r\nb"}])
def test_a_header_that_cannot_be_sent_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(InvalidValue, match="headers: "):
        check_headers(headers, strictly=False)
