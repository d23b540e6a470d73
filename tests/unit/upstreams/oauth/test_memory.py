"""What is kept in memory is each holder's own."""

from bascule.upstreams.oauth.memory import MemoryGrants, MemoryRegistrations
from bascule.upstreams.oauth.ports import Grant, Holder, Registration

ANN, BOB = Holder("t", "ann", "s"), Holder("t", "bob", "s")


def grant(resource: str = "https://h", value: str = "one") -> Grant:
    return Grant("https://a", resource, "c", value)


async def test_a_grant_is_found_by_its_holder_and_resource_alone() -> None:
    grants = MemoryGrants()
    await grants.save(ANN, grant())

    assert await grants.load(ANN, "https://h") == grant()
    assert await grants.load(BOB, "https://h") is None
    assert await grants.load(ANN, "https://other") is None
    assert await grants.load(Holder("u", "ann", "s"), "https://h") is None


async def test_a_later_grant_takes_the_place_of_the_first_until_it_is_forgotten() -> None:
    grants = MemoryGrants()
    await grants.save(ANN, grant())
    await grants.save(ANN, grant(value="two"))
    async with grants.refreshing(ANN, "https://h") as latest:
        assert latest == grant(value="two")

    await grants.forget(ANN, "https://h")
    await grants.forget(ANN, "https://h")

    assert await grants.load(ANN, "https://h") is None


async def test_the_gateways_own_grant_lends_before_the_first_callers() -> None:
    grants = MemoryGrants()
    assert await grants.lender("t", "s") is None
    await grants.save(BOB, grant())
    await grants.save(ANN, grant())
    assert await grants.lender("t", "s") == "bob"

    await grants.save(Holder("t", "", "s"), grant())

    assert await grants.lender("t", "s") == ""
    assert await grants.lender("u", "s") is None
    assert await grants.lender("t", "other") is None


async def test_a_registration_is_found_by_tenant_and_issuer() -> None:
    registrations = MemoryRegistrations()
    made = Registration("https://a", "c")
    await registrations.save("t", made)

    assert await registrations.load("t", "https://a") == made
    assert await registrations.load("u", "https://a") is None
    assert await registrations.load("t", "https://b") is None
