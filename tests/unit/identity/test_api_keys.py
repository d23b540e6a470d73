import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.call import Call, Method
from bascule.gateway.errors import ErrorCode
from bascule.gateway.principal import KeyRecord, Presented, Principal
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.stage import FailureMode
from bascule.gateway.verdict import PASS, Refuse, Verdict
from bascule.identity.api_keys import ApiKeys, RevokedKeys, digest_of, new_key
from bascule.identity.authenticate import Authenticate
from fakes.catalogue import KEY, make_principal, make_snapshot

ANN = make_principal("ann")


def call_with(credential: str | None, snapshot: Snapshot | None = None) -> Call:
    call = Call(Method.TOOLS_CALL, "c-1", credential=credential)
    call.snapshot = snapshot if snapshot is not None else make_snapshot(principal=ANN)
    return call


def refusal(verdict: Verdict) -> Refuse:
    assert isinstance(verdict, Refuse)
    return verdict


async def test_a_known_key_makes_its_bearer_known() -> None:
    call = call_with(KEY)
    assert await Authenticate(ApiKeys(RevokedKeys())).inbound(call) is PASS
    assert call.principal is ANN


@pytest.mark.parametrize("credential", [None, ""])
async def test_no_credential_is_refused_and_told_how_to_get_one(credential: str | None) -> None:
    call = call_with(credential)
    verdict = refusal(await Authenticate(ApiKeys(RevokedKeys())).inbound(call))
    assert verdict.error is ErrorCode.AUTH_REQUIRED
    assert "Authorization: Bearer" in verdict.public
    assert call.principal is None


@pytest.mark.parametrize(
    "credential",
    [
        "bsc_unknown",
        KEY + " ",
        KEY.upper(),
        KEY[:-1],
        KEY + "\x00",
        "é",
        "\x00",
        digest_of(KEY).hex(),
    ],
    ids=ascii,
)
async def test_an_unknown_key_is_refused(credential: str) -> None:
    call = call_with(credential)
    verdict = refusal(await Authenticate(ApiKeys(RevokedKeys())).inbound(call))
    assert verdict.error is ErrorCode.INVALID_TOKEN
    assert call.principal is None


async def test_a_key_that_is_too_long_is_refused_unread() -> None:
    """Even if it were on record: nobody makes the gateway hash a megabyte per request."""
    long_key = "x" * 4097
    snapshot = Snapshot(keys={digest_of(long_key): KeyRecord("key-1", ANN)})
    verdict = refusal(
        await Authenticate(ApiKeys(RevokedKeys())).inbound(call_with(long_key, snapshot))
    )
    assert verdict.error is ErrorCode.INVALID_TOKEN
    assert "longer" in verdict.private


async def test_a_key_as_long_as_allowed_is_looked_up() -> None:
    key = "x" * 4096
    call = call_with(key, Snapshot(keys={digest_of(key): KeyRecord("key-1", ANN)}))
    assert await Authenticate(ApiKeys(RevokedKeys())).inbound(call) is PASS


async def test_a_revoked_key_is_refused_with_the_next_call() -> None:
    revoked = RevokedKeys()
    stage = Authenticate(ApiKeys(revoked))
    assert await stage.inbound(call_with(KEY)) is PASS
    revoked.revoke("key-1")
    call = call_with(KEY)
    verdict = refusal(await stage.inbound(call))
    assert verdict.error is ErrorCode.INVALID_TOKEN
    assert verdict.private == "key key-1 is revoked"
    assert call.principal is None


async def test_revoking_one_key_leaves_the_others() -> None:
    revoked = RevokedKeys()
    revoked.revoke("key-2")
    assert await Authenticate(ApiKeys(revoked)).inbound(call_with(KEY)) is PASS


async def test_unknown_revoked_and_too_long_look_the_same_to_the_caller() -> None:
    revoked = RevokedKeys()
    revoked.revoke("key-1")
    stage = Authenticate(ApiKeys(revoked))
    said = [
        refusal(await stage.inbound(call_with(credential)))
        for credential in ("bsc_unknown", KEY, "x" * 5000)
    ]
    assert len({(verdict.error, verdict.public) for verdict in said}) == 1
    assert all(verdict.details is None for verdict in said)


@pytest.mark.parametrize(
    ("expires_at", "accepted"), [(None, True), (1000.1, True), (1000.0, False), (0.0, False)]
)
async def test_a_key_is_good_until_the_moment_it_expires(
    expires_at: float | None, accepted: bool
) -> None:
    record = KeyRecord("key-1", ANN, expires_at)
    call = call_with(KEY, Snapshot(keys={digest_of(KEY): record}))
    verdict = await Authenticate(ApiKeys(RevokedKeys(), now_seconds=lambda: 1000.0)).inbound(call)
    assert (verdict is PASS) is accepted
    assert (call.principal is ANN) is accepted
    assert accepted or refusal(verdict).error is ErrorCode.TOKEN_EXPIRED


async def test_a_revoked_key_that_also_expired_does_not_say_so() -> None:
    revoked = RevokedKeys()
    revoked.revoke("key-1")
    record = KeyRecord("key-1", ANN, expires_at=0.0)
    call = call_with(KEY, Snapshot(keys={digest_of(KEY): record}))
    assert (
        refusal(await Authenticate(ApiKeys(revoked)).inbound(call)).error is ErrorCode.INVALID_TOKEN
    )


@pytest.mark.parametrize("credential", [KEY, "bsc_unknown", "x" * 5000])
async def test_the_secret_is_gone_from_the_call_whatever_came_of_it(credential: str) -> None:
    call = call_with(credential)
    verdict = await Authenticate(ApiKeys(RevokedKeys())).inbound(call)
    assert call.credential is None
    assert credential not in repr(call)
    assert credential not in repr(verdict)


async def test_the_secret_is_gone_even_if_the_look_up_breaks() -> None:
    class Broken:
        def revoked(self, key_id: str) -> bool:
            raise ZeroDivisionError

    call = call_with(KEY)
    with pytest.raises(ZeroDivisionError):
        await Authenticate(ApiKeys(Broken())).inbound(call)
    assert call.credential is None
    assert call.principal is None


def test_a_stage_that_breaks_refuses() -> None:
    assert Authenticate.on_failure is FailureMode.CLOSED


def test_a_caller_without_a_pipeline_is_identified_by_the_same_rules() -> None:
    """The REST API asks directly, with the snapshot in force."""
    keys = ApiKeys(RevokedKeys())
    assert keys.principal_for(KEY, make_snapshot(principal=ANN)) is ANN
    assert isinstance(keys.principal_for(KEY, Snapshot()), Refuse)
    assert isinstance(keys.principal_for(None, make_snapshot(principal=ANN)), Refuse)


def test_a_new_key_is_stored_as_a_digest_only() -> None:
    key = new_key()
    assert key.digest == hashlib.sha256(key.secret.encode()).digest()
    assert key.secret.startswith("bsc_")
    assert key.secret.encode() not in key.digest


def test_the_prefix_tells_keys_apart_and_gives_away_little() -> None:
    key = new_key()
    assert key.secret.startswith(key.prefix)
    hidden = key.secret[len(key.prefix) :]
    assert len(hidden) * 6 >= 192, "what is never shown again must stay beyond guessing"


def test_no_two_keys_are_alike() -> None:
    keys = [new_key() for _ in range(100)]
    assert len({key.secret for key in keys}) == 100
    assert len({key.digest for key in keys}) == 100


@given(st.text(), st.text())
def test_two_secrets_share_a_digest_only_if_they_are_the_same(one: str, other: str) -> None:
    assert (digest_of(one) == digest_of(other)) is (one == other)


async def test_who_is_shut_out_is_refused_by_whatever_they_bring_until_let_in() -> None:
    person = replace(ANN, user_id="u-1")
    call, revoked = call_with(KEY, make_snapshot(principal=person)), RevokedKeys()
    authenticate = Authenticate(ApiKeys(revoked))
    revoked.revoke("u-1")
    assert refusal(await authenticate.inbound(call)).error is ErrorCode.INVALID_TOKEN
    assert call.principal is None
    assert ApiKeys(revoked).shut_out(person)
    assert not ApiKeys(revoked).shut_out(ANN)
    revoked.restore("u-1")
    revoked.restore("never revoked")
    call = call_with(KEY, make_snapshot(principal=person))
    assert await authenticate.inbound(call) is PASS


class _Tokens:
    """Takes every token for one person's."""

    def known(self, presented: Presented, snapshot: Snapshot) -> Principal | Refuse | None:
        return replace(ANN, user_id="u-1")

    async def identify(self, presented: Presented, snapshot: Snapshot) -> Principal | Refuse:
        raise AssertionError("nothing has to be waited for")


async def test_who_is_shut_out_is_so_with_a_token_as_well() -> None:
    revoked = RevokedKeys()
    authenticate = Authenticate(ApiKeys(revoked), _Tokens())
    assert await authenticate.inbound(call_with("token.of.ann")) is PASS
    revoked.revoke("u-1")
    verdict = refusal(await authenticate.inbound(call_with("token.of.ann")))
    assert verdict.error is ErrorCode.INVALID_TOKEN
    assert "deactivated or removed" in verdict.private
