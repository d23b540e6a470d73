from bascule.upstreams.secrets.failures import SecretUnavailable


def test_the_caller_learns_that_nothing_was_sent_and_nothing_of_the_reason() -> None:
    failure = SecretUnavailable("${vault:kv/x#f}: Vault is sealed.")
    assert failure.error.code == "E4001"
    assert "nothing was sent" in failure.public
    assert "Vault" not in failure.public
    assert failure.private == "${vault:kv/x#f}: Vault is sealed."
