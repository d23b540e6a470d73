import ssl
from pathlib import Path

import pytest

from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.trust import hint_for, tls_of
from fakes.certificates import Authority
from unit.cli.shell import run

AUTHORITY = Authority()
NOWHERE = "https://127.0.0.1:1"


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    path = tmp_path / "client.pem"
    pair = AUTHORITY.client("me")
    path.write_text(pair.certificate + pair.key)
    return path


def test_plain_addresses_need_no_trust() -> None:
    assert tls_of("http://127.0.0.1:8000") is None
    assert tls_of("ws://127.0.0.1:8000/mcp/ws") is None


def test_other_addresses_are_believed_by_their_authority_and_name() -> None:
    context = tls_of("WSS://gateway.example.org/mcp/ws")
    assert context is not None
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)


def test_an_instance_of_this_machine_is_known_by_its_certificate_alone(pem: Path) -> None:
    context = tls_of(NOWHERE, str(pem))
    assert context is not None
    assert (context.check_hostname, context.verify_mode) == (False, ssl.CERT_REQUIRED)
    assert context.verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN


def test_a_file_that_cannot_be_used_is_named() -> None:
    with pytest.raises(CommandFailed, match=r"/nowhere\.pem: not to be used for TLS: No such"):
        tls_of(NOWHERE, "/nowhere.pem")


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "--ca FILE"),
        ("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] alert", "--client-certificate FILE"),
        ("Connection refused", ""),
    ],
)
def test_a_failure_that_these_options_help_with_says_so(error: str, hint: str) -> None:
    found = hint_for(OSError(error))
    assert hint in found
    assert bool(found) is bool(hint)


@pytest.mark.parametrize("command", [("tools", "list"), ("call", "echo"), ("keys", "list")])
def test_commands_that_take_an_address_take_files_for_it(command: tuple[str, ...]) -> None:
    ended = run(*command, "--url", NOWHERE, "--ca", "/nowhere.pem")
    assert ended.code == Exit.USAGE
    assert "/nowhere.pem" in ended.error["message"]


def test_the_files_may_come_from_the_environment(pem: Path) -> None:
    environ = {"BASCULE_CLIENT_CERTIFICATE": str(pem), "BASCULE_CLIENT_KEY": "/nowhere.key"}
    ended = run("tools", "list", "--url", NOWHERE, environ=environ)
    assert ended.code == Exit.USAGE
    assert "/nowhere.key" in ended.error["message"]


def test_a_client_certificate_is_loaded_with_its_key(pem: Path) -> None:
    ended = run("tools", "list", "--url", NOWHERE, "--client-certificate", pem)
    assert ended.code == Exit.UNREACHABLE


def test_an_encrypted_key_is_no_question_but_a_failure(tmp_path: Path) -> None:
    pair = AUTHORITY.issue("me", b"secret")
    path = tmp_path / "encrypted.pem"
    path.write_text(pair.certificate + pair.key)
    ended = run("tools", "list", "--url", NOWHERE, "--client-certificate", path)
    assert "encrypted" in ended.error["message"]


def test_commands_without_an_address_take_none_of_it(tmp_path: Path) -> None:
    assert run("config", "show", "--data", tmp_path, "--ca", "x").code == Exit.USAGE
