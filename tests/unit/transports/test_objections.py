from bascule.transports.objections import too_large


def test_a_message_too_large_is_told_how_large_it_may_be() -> None:
    refusal = too_large(100)

    assert "larger than 100 bytes" in refusal.public
    assert refusal.details == {"max_body_bytes": 100}
