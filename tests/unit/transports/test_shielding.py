from typing import Any

from bascule.transports.shielding import shielding


async def shielded(*headers: tuple[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    sent: list[dict[str, Any]] = []

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    through = shielding(send)
    await through({"type": "http.response.start", "status": 200, "headers": list(headers)})
    await through({"type": "http.response.body", "body": b"x"})
    assert sent[1] == {"type": "http.response.body", "body": b"x"}
    return sent[0]["headers"]


async def test_every_answer_is_kept_from_being_guessed_at_framed_and_stored() -> None:
    assert dict(await shielded((b"content-type", b"text/html"))) == {
        b"content-type": b"text/html",
        b"x-content-type-options": b"nosniff",
        b"x-frame-options": b"DENY",
        b"referrer-policy": b"same-origin",
        b"cache-control": b"no-store",
        b"content-security-policy": b"frame-ancestors 'none'",
    }


async def test_what_an_answer_says_of_itself_stays() -> None:
    headers = await shielded((b"Cache-Control", b"public, max-age=60"))
    assert [value for name, value in headers if name.lower() == b"cache-control"] == [
        b"public, max-age=60"
    ]


async def test_a_policy_that_forgets_frames_gets_one_more() -> None:
    policy = (b"content-security-policy", b"default-src 'self'")
    assert [one for one in await shielded(policy) if one[0] == policy[0]] == [
        policy,
        (policy[0], b"frame-ancestors 'none'"),
    ]
    whole = (b"content-security-policy", b"frame-ancestors 'self'; default-src 'self'")
    assert [one for one in await shielded(whole) if one[0] == whole[0]] == [whole]
