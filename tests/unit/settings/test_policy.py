import pytest
from pydantic import ValidationError

from bascule.settings.policy import Elevation, Policy


def test_by_default_rego_is_evaluated_here_and_privileged_tools_need_a_grant():
    assert Policy().rego_engine == "embedded"
    elevation = Elevation()
    assert (elevation.privileged, elevation.self_approval) == ("require", False)
    assert (elevation.default_minutes, elevation.max_minutes) == (60, 480)
    assert elevation.pim_url == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rego_engine", "cedar"),
        ("opa_url", "localhost:8181"),
        ("opa_url", "file:///etc/passwd"),
        ("opa_url", "http://user:hunter2@localhost:8181"),
        ("rego_timeout_ms", 0),
        ("rego_timeout_ms", 10_001),
        ("rego_workers", 0),
        ("rego_workers", 65),
        ("rego_memory_mb", 63),
        ("max_decisions", -1),
    ],
)
def test_what_cannot_decide_is_refused(name: str, value: object):
    with pytest.raises(ValidationError, match=name):
        Policy.model_validate({name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("privileged", "deny"),
        ("default_minutes", 0),
        ("max_minutes", 10_081),
        ("request_minutes", 0),
        ("self_approval", "perhaps"),
        ("pim_url", "ldap://pim.example.com"),
        ("pim_timeout_seconds", 0),
        ("pim_timeout_seconds", float("inf")),
        ("pim_timeout_seconds", 61),
    ],
)
def test_what_cannot_grant_is_refused(name: str, value: object):
    with pytest.raises(ValidationError, match=name):
        Elevation.model_validate({name: value})


def test_an_address_is_kept_without_the_slash_at_its_end():
    assert Policy(opa_url="https://opa.example.com/").opa_url == "https://opa.example.com"
    assert Elevation(pim_url="https://pim.example.com/").pim_url == "https://pim.example.com"


def test_tokens_are_never_shown():
    policy = Policy.model_validate({"opa_token": "hunter2"})
    elevation = Elevation.model_validate({"pim_token": "hunter2"})

    for shown in (repr(policy), policy.model_dump_json(), str(elevation), repr(elevation)):
        assert "hunter2" not in shown
