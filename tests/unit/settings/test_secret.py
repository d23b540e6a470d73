import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.settings.secret import ConnectionUrl, Password, SealingKey, holds_secret, masked


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("", ""),
        ("sqlite:////var/lib/bascule.db", "sqlite:////var/lib/bascule.db"),
        ("postgresql://h:5432/db", "postgresql://h:5432/db"),
        ("postgresql://u@h/db", "postgresql://u@h/db"),
        ("postgresql://u:@h/db", "postgresql://u:@h/db"),
        ("postgresql://u:pw@h/db", "postgresql://u:********@h/db"),
        ("postgresql://u:p/w?x@y:z@h/db", "postgresql://u:********@h/db"),
        ("redis://:pw@h:6379/0", "redis://:********@h:6379/0"),
        ("redis://h/0?password=pw&db=1", "redis://h/0?password=********&db=1"),
        ("hunter2", "********"),
    ],
)
def test_urls_are_shown_without_what_unlocks_them(url: str, shown: str):
    assert masked(url) == shown
    assert str(ConnectionUrl(url)) == shown


@given(
    user=st.text(alphabet="abc_", max_size=5),
    password=st.text(min_size=1).map(lambda text: f"S3{text}3S"),
    host=st.sampled_from(["h", "h:5432/db", "h/db?sslmode=require"]),
)
def test_no_password_survives(user: str, password: str, host: str):
    url = f"postgresql://{user}:{password}@{host}"
    assert masked(url) == f"postgresql://{user}:********@{host}"
    assert holds_secret(url)


@given(st.text())
def test_any_text_can_be_masked_and_masking_again_changes_nothing(text: str):
    assert masked(masked(text)) == masked(text)


def test_of_a_sealing_key_nothing_is_shown():
    key = SealingKey("ab" * 32)
    assert str(key) == "********"
    assert "ab" not in repr(key)
    assert key.key == b"\xab" * 32


def test_a_url_with_nothing_secret_holds_none():
    assert not holds_secret("")
    assert not holds_secret("postgresql://u:@h/db")
    assert not holds_secret("no url")


def test_of_a_password_nothing_is_shown_but_whether_there_is_one():
    assert (str(Password("hunter2")), str(Password(""))) == ("********", "")
    assert "hunter2" not in repr(Password("hunter2"))
