import pytest
from pydantic import ValidationError

from bascule.settings.assistant import Llm
from bascule.settings.model import (
    App,
    Database,
    Observability,
    Redis,
    Security,
    Server,
    Upstreams,
)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://Console.Example.com", "https://console.example.com"),
        ("https://console.example.com/", "https://console.example.com"),
        ("http://10.0.0.1:3001", "http://10.0.0.1:3001"),
        ("http://[::1]:3001", "http://[::1]:3001"),
    ],
)
def test_web_origins_are_kept_as_browsers_send_them(given: str, kept: str):
    assert Server(allowed_origins=(given,)).allowed_origins == (kept,)


@pytest.mark.parametrize(
    "origin",
    ["*", "null", "console.example.com", "https://a/b", "https://u@a", "https://a?b", "ftp://a",
     "https://", "https://a:99999", "https://a:x", "https://[::1", "https://*.a.com/x"],
)  # fmt: skip
def test_what_is_no_web_origin_is_refused(origin: str):
    with pytest.raises(ValidationError):
        Server(allowed_origins=(origin,))


@pytest.mark.parametrize("host", ["::1", "[::1]", "gateway", "a.example.com", "10.0.0.1"])
def test_hosts_are_names_or_addresses(host: str):
    assert Server(host=host).host == host.strip("[]")


@pytest.mark.parametrize("host", ["", "a b", "http://a", "a:80", "-a", "a..b", "a/b", "a_b\n"])
def test_what_is_no_host_is_refused(host: str):
    with pytest.raises(ValidationError):
        Server(host=host)
    with pytest.raises(ValidationError):
        Server(allowed_hosts=(host,))


@pytest.mark.parametrize("seconds", ["0", "-1", "inf", "nan", "3601", ""])
def test_durations_are_finite_and_above_nothing(seconds: str):
    with pytest.raises(ValidationError):
        Upstreams.model_validate({"read_timeout_seconds": seconds})


@pytest.mark.parametrize("url", ["", "sqlite:///x.db", "postgresql+asyncpg://h/db", "POSTGRES://h"])
def test_known_databases_are_accepted(url: str):
    assert Database.model_validate({"url": url}).url.get_secret_value() == url


@pytest.mark.parametrize("url", ["mysql://h/db", "h:5432/db", "postgresql:/h"])
def test_other_databases_are_refused_without_repeating_the_url(url: str):
    with pytest.raises(ValidationError) as caught:
        Database.model_validate({"url": url})
    assert url not in str(caught.value)


def test_redis_needs_a_redis_url():
    assert Redis.model_validate({"url": "rediss://h"}).url.get_secret_value() == "rediss://h"
    with pytest.raises(ValidationError):
        Redis.model_validate({"url": "http://h"})


@pytest.mark.parametrize(
    "key",
    ["", "hunter2", "0" * 63, "0" * 65, "g" * 64, "0" * 63 + "\n", " " + "0" * 63, "\u0660" * 64],
)
def test_what_is_no_sealing_key_is_refused_without_repeating_it(key: str):
    with pytest.raises(ValidationError) as caught:
        Security.model_validate({"sealing_keys": ["0" * 64, key]})
    assert "hunter2" not in str(caught.value)
    assert "openssl rand -hex 32" in str(caught.value.errors())


def test_words_may_be_written_in_capitals():
    assert Observability.model_validate({"log_level": "INFO"}).log_level == "info"


@pytest.mark.parametrize("name", ["", "a\nb", "a" * 101])
def test_a_name_is_one_printable_line(name: str):
    with pytest.raises(ValidationError):
        App(name=name)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("10.0.0.0/8", "10.0.0.0/8"), ("10.1.2.3", "10.1.2.3/32"), ("fd00::/8", "fd00::/8")],
)
def test_networks_are_ranges_or_addresses(given: str, kept: str):
    assert Upstreams.model_validate({"allowed_networks": [given]}).allowed_networks == (kept,)


@pytest.mark.parametrize("network", ["", "10.0.0.1/8", "10/8", "example.com", "10.0.0.0/33"])
def test_what_is_no_network_is_refused(network: str):
    with pytest.raises(ValidationError):
        Upstreams.model_validate({"allowed_networks": [network]})


@pytest.mark.parametrize("url", ["", "https://vault.example:8200", "http://10.0.0.1/base"])
def test_addresses_of_services_are_urls(url: str):
    assert Security.model_validate({"vault_url": url}).vault_url == url


@pytest.mark.parametrize(
    "url", ["vault:8200", "ftp://x", "https://u:p@x", "https://x?y=1", "https://", "https://[::1"]
)
def test_what_is_no_address_of_a_service_is_refused(url: str):
    with pytest.raises(ValidationError):
        Security.model_validate({"vault_url": url})


@pytest.mark.parametrize("key", ["sk-1\n", "sk 1", "sk-\u00e9", "sk-1\r\nX: y"])
def test_a_key_that_no_header_takes_is_refused_and_not_repeated(key: str):
    with pytest.raises(ValidationError) as failed:
        Llm.model_validate({"api_key": key})
    assert "Give the key alone" in str(failed.value.errors()[0]["ctx"])
    assert "sk-" not in failed.value.errors()[0]["msg"]
