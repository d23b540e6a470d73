import pytest

from bascule.policy.rego.builtins import is_known, is_volatile


@pytest.mark.parametrize(
    "name",
    [
        "count",
        "walk",
        "object.get",
        "time.clock",
        "time.parse_rfc3339_ns",
        "net.cidr_contains",
        "crypto.sha256",
        "crypto.x509.parse_certificates",
        "io.jwt.verify_rs256",
        "uuid.parse",
    ],
)
def test_most_functions_depend_on_nothing_but_their_arguments(name: str) -> None:
    assert not is_volatile(name)
    assert is_known(name)


@pytest.mark.parametrize(
    "name",
    [
        "time.now_ns",
        "rand.intn",
        "http.send",
        "opa.runtime",
        "net.lookup_ip_addr",
        "uuid.rfc4122",
        "io.jwt.decode_verify",
        "rego.metadata.rule",
        "nobody.knows.this",
        "unheard_of",
        "count.of",
        "",
        ".",
    ],
)
def test_what_looks_elsewhere_or_is_not_known_may_change(name: str) -> None:
    assert is_volatile(name)


def test_a_function_of_the_language_is_known_though_it_may_change() -> None:
    assert is_known("time.now_ns")
    assert not is_known("unheard_of")
