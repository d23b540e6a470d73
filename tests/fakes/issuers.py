"""An issuer of tokens without a network: it has keys, signs, rotates, and may be down."""

import asyncio
import base64
import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from joserfc import jws
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from bascule.gateway.issuer import Issuer
from bascule.gateway.principal import Person
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.identity.fetching import Fetched, IssuerUnusable
from bascule.identity.key_sets import KeyRules, KeySets
from bascule.identity.tokens import Tokens
from bascule.identity.verifying import TokenRules, Verifier

URL: Final = "https://id.example"
ADDRESS: Final = "https://tools.example"
NOW: Final = 1_000_000.0
SECRET: Final = "a secret of thirty-two bytes, or more"
_CURVES: Final = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


def key_for(algorithm: str, number: int = 0) -> Key:
    """A key pair for `algorithm`; there are as many as there are numbers."""
    return _made(algorithm, number)


@cache
def _made(algorithm: str, _number: int) -> Key:
    if algorithm in _CURVES:
        return ECKey.generate_key(_CURVES[algorithm])
    if algorithm.startswith("Ed"):
        return OKPKey.generate_key("Ed25519")
    if algorithm.startswith("HS"):
        octets = SECRET.encode()
        return OctKey(octets, octets)
    return RSAKey.generate_key(2048)


def sign(
    header: Mapping[str, Any], claims: Mapping[str, Any] | bytes, key: Key | None = None
) -> str:
    """A token with `header`, signed by what its alg says, whatever else the header holds."""
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return sign_text(json.dumps(header).encode(), payload, str(header.get("alg")), key)


def sign_text(header: bytes, payload: bytes, algorithm: str, key: Key | None = None) -> str:
    """As `sign`, with the header as bytes."""
    message = f"{encode(header)}.{encode(payload)}"
    model = jws.JWSRegistry.algorithms[algorithm]
    signature = model.sign(message.encode(), key or key_for(algorithm))
    return f"{message}.{encode(signature)}"


def encode(octets: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def claims_of(**changes: Any) -> dict[str, Any]:
    """The claims of an access token that is good at `NOW`; None takes a claim away."""
    usual = {
        "iss": URL,
        "sub": "ann",
        "aud": ADDRESS,
        "iat": NOW - 10,
        "exp": NOW + 600,
        "roles": ["staff"],
    }
    return {name: one for name, one in {**usual, **changes}.items() if one is not None}


def token_of(algorithm: str = "RS256", key: Key | None = None, /, **changes: Any) -> str:
    """An access token with `claims_of(**changes)`, by the first key unless told otherwise."""
    return sign({"alg": algorithm, "kid": "k0", "typ": "JWT"}, claims_of(**changes), key)


def issuer_of(**changes: Any) -> Issuer:
    """The record of this issuer: its `staff` are users of `acme`."""
    usual: dict[str, Any] = {
        "name": "id",
        "issuer": URL,
        "tenant": "acme",
        "roles_claims": ("roles",),
        "groups_claims": ("groups",),
        "role_map": {"staff": ("user",)},
    }
    return Issuer(**{**usual, **changes})


def snapshot_of(
    *issuers: Issuer, people: Mapping[tuple[str, str], Person] | None = None
) -> Snapshot:
    """Two tenants with the same roles, and who is believed."""
    roles = {
        "user": frozenset({"tools:list", "tools:execute"}),
        "developer": frozenset({"tools:list", "tools:execute", "tools:write"}),
    }
    views = {
        name: TenantView(
            name, roles=roles, people=people or {}, group_roles={"makers": frozenset({"developer"})}
        )
        for name in ("acme", "other")
    }
    return Snapshot(1, views, issuers={one.issuer: one for one in issuers or (issuer_of(),)})


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self, seconds: float = NOW) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        return self.seconds


class FakeIssuer:
    """A `Fetch` that knows one issuer. `documents` are by URL; `fetched` are those asked for.

    While `is_down`, nothing answers. Where `gate` is set, an answer waits for it.
    """

    def __init__(self, *keys: Mapping[str, Any], url: str = URL) -> None:
        self.url = url
        self.fetched: list[tuple[str, bool]] = []
        self.documents: dict[str, bytes] = {}
        self.is_down = False
        self.gate: asyncio.Event | None = None
        self.describe(issuer=url, jwks_uri=f"{url}/keys")
        self.publish(*(keys or (public("RS256"),)))

    def describe(self, **members: Any) -> None:
        """Say this of itself."""
        self.documents[f"{self.url}/.well-known/openid-configuration"] = json.dumps(
            members
        ).encode()

    def publish(self, *keys: Mapping[str, Any]) -> None:
        """Have these keys, and no others."""
        self.documents[f"{self.url}/keys"] = json.dumps({"keys": keys}).encode()

    @property
    def times(self) -> int:
        """How often its keys were fetched."""
        return sum(url.endswith("/keys") for url, _ in self.fetched)

    async def __call__(self, url: str, *, chosen_here: bool) -> Fetched:
        self.fetched.append((url, chosen_here))
        if self.gate is not None:
            await self.gate.wait()
        if self.is_down:
            raise IssuerUnusable(f"{url}: nothing answers")
        found = self.documents.get(url)
        return Fetched(404, b"") if found is None else Fetched(200, found)


def public(algorithm: str, number: int = 0, **changes: Any) -> dict[str, Any]:
    """The public part of a key, with the id `k` and its number; None takes a member away."""
    members = {**key_for(algorithm, number).as_dict(private=False), "kid": f"k{number}", **changes}
    return {name: one for name, one in members.items() if one is not None}


async def resolve(tenant: str, text: str) -> str:
    """Every reference stands for `SECRET`."""
    return SECRET


def tokens_of(
    issuer: FakeIssuer | None = None, *, clock: Clock | None = None, **options: Any
) -> Tokens:
    """What knows the bearers of its tokens, at `NOW` unless `clock` says otherwise."""
    clock = clock or Clock()
    rules = options.pop("rules", KeyRules())
    keys = KeySets(issuer or FakeIssuer(), rules, resolve, clock)
    verifier = Verifier(keys, TokenRules(lambda: (ADDRESS,)), clock)
    return Tokens(verifier, clock=clock, **options)
