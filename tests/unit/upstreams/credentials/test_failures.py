from bascule.upstreams.credentials.failures import TokenRefused, TokenUnavailable


def test_each_says_that_nothing_was_sent_and_what_to_look_at() -> None:
    away, refused = TokenUnavailable("Away."), TokenRefused("Said no.")
    assert (away.error.code, refused.error.code) == ("E4001", "E4004")
    for failure in (away, refused):
        assert "nothing was" in failure.public
        assert "operator" in failure.public
    assert away.private == "Away. Look at token_url of this upstream's connector."
    assert refused.private.startswith("Said no. Check client_id, client_secret, ")
