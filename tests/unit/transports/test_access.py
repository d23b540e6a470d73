import pytest

from bascule.transports.access import (
    Door,
    DoorConfig,
    door_header_repeated,
    host_of,
    loopback_only,
)

EVERY_INTERFACE = "0.0.0.0"  # noqa: S104 - to be refused
LOCAL = Door(DoorConfig())
PUBLIC = Door(
    DoorConfig(
        allowed_hosts=frozenset({"Gateway.Example.com", "[2001:DB8::1]"}),
        allowed_origins=frozenset({"https://Console.example.com/", "https://app.example:8443"}),
    )
)


def admits(door: Door, host: str | None, origin: str | None = None) -> bool:
    values = [None if one is None else one.encode("latin-1") for one in (host, origin)]
    reasons = {door.admits(values[0], values[1]) for _ in range(3)}
    assert len(reasons) == 1, "a remembered value is judged like a new one"
    return reasons == {None}


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8080",
        "LocalHost:8080",
        "127.0.0.1",
        "127.0.0.1:65535",
        "[::1]",
        "[::1]:8080",
        "localhost:",
    ],
)
def test_loopback_names_are_always_served(host: str) -> None:
    assert admits(LOCAL, host)
    assert admits(PUBLIC, host)


@pytest.mark.parametrize(
    "host",
    [
        "evil.com",
        "evil.localhost.example",
        "localhost.evil.com",
        "127.0.0.1.evil.com",
        "127.0.0.1.nip.io",
        "localhost.",
        "evil-localhost",
        "localhost@evil.com",
        "evil.com@localhost",
        "user:pass@localhost",
        "@localhost",
        "localhost:80@evil.com",
        "localhost:80:80",
        "localhost:65536",
        "localhost:99999",
        "localhost:999999",
        "localhost:port",
        "localhost:-1",
        "localhost:0x50",
        "localhost:\xb2",
        "localhost/",
        "localhost/evil.com",
        "localhost?",
        "localhost#",
        "localhost\\evil.com",
        "localhost,evil.com",
        "localhost evil.com",
        "evil.com localhost",
        " localhost",
        "localhost ",
        "local\thost",
        "localhost\n",
        "localhost\x00",
        "\x00localhost",
        "http://localhost",
        "//localhost",
        "::1",
        "[::1",
        "[::1]evil.com",
        "[::1].evil.com",
        "[::1]:8080:1",
        "[localhost]",
        "[::ffff:127.0.0.1]",
        "[::1%25lo]",
        EVERY_INTERFACE,
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "",
        ":8080",
        "*",
    ],
    ids=ascii,
)
def test_any_other_host_is_turned_away(host: str) -> None:
    assert not admits(LOCAL, host)


def test_a_missing_host_is_turned_away() -> None:
    assert LOCAL.admits(None, None) == "the Host header is missing"


@pytest.mark.parametrize(
    "host", ["gateway.example.com", "GATEWAY.example.com:443", "[2001:db8::1]:8080"]
)
def test_a_configured_host_is_served_on_any_port(host: str) -> None:
    assert admits(PUBLIC, host)
    assert not admits(LOCAL, host)


@pytest.mark.parametrize("host", ["example.com", "x.gateway.example.com", "gateway.example.com.x"])
def test_a_configured_host_is_meant_exactly(host: str) -> None:
    assert not admits(PUBLIC, host)


def test_without_an_origin_the_host_decides() -> None:
    assert admits(LOCAL, "localhost", None)


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost",
        "http://localhost:3000",
        "https://LOCALHOST:3000",
        "http://127.0.0.1:5173",
        "http://[::1]:5173",
    ],
)
def test_a_page_on_this_machine_may_call(origin: str) -> None:
    assert admits(LOCAL, "localhost", origin)


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "*",
        "http://evil.com",
        "http://127.0.0.1.evil.com",
        "http://localhost.evil.com",
        "http://evil.localhost.example",
        "http://localhost@evil.com",
        "http://evil.com@localhost",
        "http://localhost:80@evil.com",
        "http://evil.com#@localhost",
        "http://evil.com/localhost",
        "http://localhost/",
        "http://localhost/path",
        "http://localhost?",
        "http://localhost#",
        "http://localhost:99999",
        "http://localhost\\.evil.com",
        "http://local\thost",
        "http://localhost http://evil.com",
        "http://localhost, http://evil.com",
        "http://localhost\r\n",
        "http://[::1]evil.com",
        "http://[::1].evil.com",
        "http://",
        "http:localhost",
        "http:///localhost",
        "//localhost",
        "localhost",
        "file://",
        "file://localhost",
        "ftp://localhost",
        "ws://localhost",
        "chrome-extension://localhost",
        "javascript:alert(1)//localhost",
        "https://console.example.com",
    ],
    ids=ascii,
)
def test_any_other_origin_is_turned_away(origin: str) -> None:
    """Source: basic/transports/streamable-http "Security & Endpoint", against DNS rebinding."""
    assert not admits(LOCAL, "localhost", origin)


@pytest.mark.parametrize("origin", ["https://console.example.com", "HTTPS://app.example:8443"])
def test_a_configured_origin_may_call(origin: str) -> None:
    assert admits(PUBLIC, "gateway.example.com", origin)


@pytest.mark.parametrize(
    "origin",
    [
        "http://console.example.com",
        "https://console.example.com:8443",
        "https://app.example",
        "https://console.example.com.evil.com",
        "https://x.console.example.com",
    ],
)
def test_a_configured_origin_is_meant_exactly(origin: str) -> None:
    assert not admits(PUBLIC, "gateway.example.com", origin)


def test_cookies_are_for_origins_that_are_named_or_on_the_same_machine() -> None:
    assert PUBLIC.trusts(b"gateway.example.com", b"https://CONSOLE.example.com")
    assert PUBLIC.trusts(b"localhost:8000", b"http://localhost:5173")
    assert not PUBLIC.trusts(b"gateway.example.com", b"http://localhost:5173")
    assert not PUBLIC.trusts(None, b"http://localhost:5173")


def test_a_good_origin_does_not_excuse_a_bad_host() -> None:
    assert not admits(LOCAL, "evil.com", "http://localhost")


def test_the_reason_names_the_setting_to_change() -> None:
    assert "server.allowed_hosts" in str(LOCAL.admits(b"evil.com", None))
    assert "server.allowed_origins" in str(LOCAL.admits(b"localhost", b"null"))


def test_the_reason_does_not_repeat_what_a_stranger_sent() -> None:
    assert "evil" not in str(LOCAL.admits(b"evil.com", None))


def test_a_flood_of_good_values_is_admitted_and_not_remembered_without_end() -> None:
    door = Door(DoorConfig())
    for port in range(1000):
        assert door.admits(b"localhost:%d" % port, b"http://localhost:%d" % port) is None
    assert len(door._good_hosts) <= 256
    assert len(door._good_origins) <= 256


def test_bad_values_are_never_remembered() -> None:
    door = Door(DoorConfig())
    for number in range(10):
        door.admits(b"evil-%d.com" % number, None)
        door.admits(b"localhost", b"http://evil-%d.com" % number)
    assert door._good_hosts == {b"localhost"}
    assert door._good_origins == set()


@pytest.mark.parametrize(
    ("names", "repeated"),
    [
        ([b"host", b"origin", b"accept"], False),
        ([b"host", b"accept", b"accept"], False),
        ([b"host", b"accept", b"host"], True),
        ([b"origin", b"host", b"origin"], True),
        ([], False),
    ],
)
def test_only_a_second_host_or_origin_counts_as_repeated(
    names: list[bytes], repeated: bool
) -> None:
    assert door_header_repeated([(name, b"x") for name in names]) is repeated


@pytest.mark.parametrize(
    ("hosts", "loopback"),
    [
        (["127.0.0.1"], True),
        (["localhost", "::1"], True),
        (["127.0.0.53"], True),
        ([EVERY_INTERFACE], False),
        (["::"], False),
        (["192.168.1.5"], False),
        (["127.0.0.1", EVERY_INTERFACE], False),
        (["127.evil.com"], False),
        (["127.0.0.1.nip.io"], False),
        ([""], False),
    ],
)
def test_only_loopback_addresses_are_loopback(hosts: list[str], loopback: bool) -> None:
    """A name that merely begins like one may lead anywhere: no account guards that listener."""
    assert loopback_only(hosts) is loopback


def test_a_page_of_the_host_that_is_asked_may_ask() -> None:
    assert admits(PUBLIC, "gateway.example.com:8443", "https://gateway.example.com:8443")
    assert not admits(PUBLIC, "gateway.example.com:8443", "https://gateway.example.com")
    assert not admits(PUBLIC, "gateway.example.com", "evil://gateway.example.com")
    assert not admits(LOCAL, "evil.example", "https://evil.example")


@pytest.mark.parametrize(
    ("header", "host"),
    [
        (b"GW.Example.com:8443", "gw.example.com"),
        (b"[::1]:80", "::1"),
        (b"localhost", "localhost"),
        (b"a b", ""),
        (b"evil.com@gw.example.com", ""),
        (None, ""),
    ],
)
def test_the_host_of_a_request_is_its_name_alone(header: bytes | None, host: str) -> None:
    assert host_of(header) == host
