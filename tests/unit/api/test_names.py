import pytest
from hypothesis import given
from hypothesis.strategies import text
from pydantic import TypeAdapter, ValidationError

from bascule.api.names import (
    BundleName,
    DisplayName,
    EmailAddress,
    GroupName,
    HostName,
    KeyName,
    Name,
    Permissions,
    RoleName,
    RoleNames,
    TenantName,
    ToolName,
    UserName,
    Version,
)

BUNDLE = TypeAdapter(BundleName)
NAME = TypeAdapter(Name)
TOOL = TypeAdapter(ToolName)
VERSION = TypeAdapter(Version)


@pytest.mark.parametrize("name", ["a", "0", "service-booking", "v1.2_x", "a" * 100])
def test_a_bundle_name_fits_into_a_url(name: str) -> None:
    assert BUNDLE.validate_python(name) == name


@pytest.mark.parametrize(
    "name", ["", "a" * 101, "-a", ".", "..", "a/b", "a b", "a?b", "a%2f", "a\n", "größe", "\0"]
)
def test_what_does_not_fit_into_a_url_is_no_bundle_name(name: str) -> None:
    with pytest.raises(ValidationError, match="up to 100 letters, digits, dots"):
        BUNDLE.validate_python(name)


@given(text())
def test_a_bundle_name_needs_no_escape_in_a_path(name: str) -> None:
    try:
        accepted = BUNDLE.validate_python(name)
    except ValidationError:
        return
    assert accepted.isascii()
    assert not set(accepted) & set("/?#% \\")


@pytest.mark.parametrize("name", ["users may book services", "a/b", "予約", "x" * 100, "*"])
def test_other_names_are_for_people(name: str) -> None:
    assert NAME.validate_python(name) == name


@pytest.mark.parametrize(
    "name", ["", " ", " a", "a ", "a\nb", "a\x1b[2J", "\0", "\ud800", "x" * 101, ".", ".."]
)
def test_a_name_is_one_printable_line(name: str) -> None:
    with pytest.raises(ValidationError):
        NAME.validate_python(name)


@pytest.mark.parametrize("name", ["a", "get_slots", "a.b-c", "_x", "x" * 100])
def test_a_tool_is_named_as_the_protocol_has_it(name: str) -> None:
    assert TOOL.validate_python(name) == name


@pytest.mark.parametrize("name", ["", "a b", "a@1", "a/b", ".", "..", "größe", "x" * 101, "a\n"])
def test_what_clients_could_not_call_is_no_tool_name(name: str) -> None:
    with pytest.raises(ValidationError, match="A tool is named"):
        TOOL.validate_python(name)


@pytest.mark.parametrize("version", ["1.0.0", "0.0.0", "10.20.30-rc.1+b.7", "1.0.0-x-y", "1.2.3+7"])
def test_a_version_is_semantic(version: str) -> None:
    assert VERSION.validate_python(version) == version


@pytest.mark.parametrize(
    "version", ["", "1", "1.2", "v1.2.3", "01.2.3", "1.2.3.4", "1.2.3-", "1.2.3-01", "1.2.x",
                "1.2.3 ", "1.2.3-" + "a" * 50, "9" * 30 + ".0.0"]
)  # fmt: skip
def test_what_semver_does_not_know_is_no_version(version: str) -> None:
    with pytest.raises(ValidationError, match="three numbers"):
        VERSION.validate_python(version)


@pytest.mark.parametrize("name", ["asha", "asha@example.org", "Åsa Öberg", "साधना", "x" * 200])
def test_people_are_named_as_they_are(name: str) -> None:
    assert TypeAdapter(UserName).validate_python(name) == name


@pytest.mark.parametrize(
    "name", ["", " a", "a\n", "a|b", "..", "a\u202eb", "a\u2067b", "a\u200bb", "e\u0301", "\ud800"]
)
def test_a_caller_s_name_reads_as_it_is_stored(name: str) -> None:
    for kind in (UserName, KeyName, GroupName):
        with pytest.raises(ValidationError):
            TypeAdapter(kind).validate_python(name)


def test_only_a_user_is_named_without_a_slash() -> None:
    with pytest.raises(ValidationError, match="A user is named"):
        TypeAdapter(UserName).validate_python("a/b")
    for kind in (KeyName, GroupName):
        assert TypeAdapter(kind).validate_python("/a/b") == "/a/b"


@given(text())
def test_whoever_is_named_can_be_told_apart_in_what_is_theirs(name: str) -> None:
    try:
        accepted = TypeAdapter(UserName).validate_python(name)
    except ValidationError:
        return
    assert not set(accepted) & set("|/\n\r\0")
    assert accepted.isprintable()


@pytest.mark.parametrize("name", ["a", "0", "on-call_2.eu", "A" * 50])
def test_a_role_is_a_word(name: str) -> None:
    assert TypeAdapter(RoleName).validate_python(name) == name


@pytest.mark.parametrize("name", ["", "-a", "a b", "a|b", "a/b", "größe", "a" * 51, "a\n", '"'])
def test_what_is_no_word_is_no_role(name: str) -> None:
    with pytest.raises(ValidationError, match="A role is named"):
        TypeAdapter(RoleName).validate_python(name)


@pytest.mark.parametrize("name", ["a", "acme", "acme-2", "0" * 63])
def test_a_tenant_is_a_label(name: str) -> None:
    assert TypeAdapter(TenantName).validate_python(name) == name


@pytest.mark.parametrize("name", ["", "Acme", "-a", "a-", "a_b", "a.b", "a|b", "a" * 64, "a\n"])
def test_what_is_no_label_is_no_tenant(name: str) -> None:
    with pytest.raises(ValidationError, match="A tenant is named"):
        TypeAdapter(TenantName).validate_python(name)


@pytest.mark.parametrize(
    ("name", "kept"),
    [("a", "a"), ("API.Example.COM", "api.example.com"), ("a.example.", "a.example")],
)
def test_a_host_is_kept_in_small_letters(name: str, kept: str) -> None:
    assert TypeAdapter(HostName).validate_python(name) == kept


@pytest.mark.parametrize(
    "name", ["", ".", "a..b", "-a.b", "a:80", "http://a", "a/b", "*.a", "1.2.3.4", "[::1]", "ä.de"]
)
def test_what_is_no_host_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(HostName).validate_python(name)


def test_roles_and_permissions_are_named_once_each() -> None:
    assert TypeAdapter(RoleNames).validate_python(["b", "a", "b"]) == ["b", "a"]
    permissions = TypeAdapter(Permissions)
    assert permissions.validate_python(["tools:list", "tools:list"]) == ["tools:list"]
    with pytest.raises(ValidationError, match="did you mean tools:write"):
        permissions.validate_python(["tools:wirte"])
    with pytest.raises(ValidationError, match="there are tools:list, "):
        permissions.validate_python(["zzzzzzzzzzz"])


def test_an_address_may_be_left_out_but_not_made_up() -> None:
    email = TypeAdapter(EmailAddress)
    for address in ("", "a@b", "asha.rao@example.org"):
        assert email.validate_python(address) == address
    for address in ("a", "@b", "a@", "a b@c", "a@b\n", " a@b"):
        with pytest.raises(ValidationError):
            email.validate_python(address)
    for line in ("a\nb", " a", "a\u202e"):
        with pytest.raises(ValidationError):
            TypeAdapter(DisplayName).validate_python(line)
