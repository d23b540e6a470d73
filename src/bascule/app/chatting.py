"""The assistant put together: model, tools, desk; and what is done about deleted conversations."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from bascule.api.assistant import Assistant, Look, peer
from bascule.app.elevating import shared_digest
from bascule.app.models import open_model
from bascule.app.theme import read_look
from bascule.app.toolbox import GatewayToolbox
from bascule.chat.equipment import pseudonyms
from bascule.chat.limits import ChatLimits
from bascule.chat.models import Model
from bascule.chat.service import ChatDesk
from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.gateway.kernel import Gateway
from bascule.gateway.principal import Means, Principal
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.state import StateStore
from bascule.gateway.verdict import Refuse
from bascule.policy.access import Access
from bascule.settings.model import Settings
from bascule.storage.database import Database
from bascule.storage.repositories.conversations import DeletedConversations
from bascule.storage.repositories.sessions import Sessions
from bascule.storage.repositories.tenants import Tenants
from bascule.telemetry.tokens import TokenCounter

PURGE_SECONDS: Final = 3600.0
_PURPOSE: Final = b"bascule pseudonyms for models\0"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ModelAndLook:
    """What the assistant has before there is a gateway: it fails early where it cannot be had."""

    model: Model
    look: Look
    pseudonym: Callable[[Principal], str]

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings, own_key: bytes) -> AsyncGenerator["ModelAndLook"]:
        """Open the model; it closes with the block.

        Providers know people by digests under the sealing keys of the settings, else `own_key`.

        Raises:
            GatewayError: the model or the look cannot be used; says what to do.
        """
        pseudonym = pseudonyms(shared_digest(settings, own_key, _PURPOSE))
        look = await asyncio.to_thread(read_look, settings.chat)
        async with open_model(settings.llm) as model:
            yield cls(model, look, pseudonym)


@dataclass(frozen=True, slots=True)
class Common:
    """What the assistant shares: the `state` with other processes, so that one runs each turn."""

    state: StateStore
    database: Database
    tokens: TokenCounter

    def meter(self, principal: Principal, model: str, tokens_in: int, tokens_out: int) -> None:
        """Count an answer of a model."""
        self.tokens.count(principal.tenant, model, tokens_in, tokens_out)


@dataclass(frozen=True, slots=True)
class Chatting:
    """The assistant while it is open. Its turns end with `aclose`, to be taken up again."""

    assistant: Assistant

    @classmethod
    def over(
        cls,
        settings: Settings,
        known: ModelAndLook,
        gateway: Gateway,
        access: Callable[[Snapshot], Access],
        common: Common,
    ) -> "Chatting":
        """The assistant of `gateway`; `access` gives the decisions of a snapshot."""
        limits = limits_of(settings)
        seconds = settings.server.request_timeout_seconds
        ended = SignIns(common.database)
        toolbox = GatewayToolbox(gateway, access, ended.has_ended, peer, seconds)
        desk = ChatDesk(
            known.model,
            toolbox,
            limits,
            settings.llm.instructions,
            state=common.state,
            pseudonym=known.pseudonym,
            meter=common.meter,
        )
        assistant = Assistant(
            desk,
            toolbox,
            known.model.card,
            known.look,
            limits.text_characters,
            limits.approval_seconds,
            settings.server.stream_keep_alive_seconds,
        )
        return cls(assistant)

    def drain(self) -> None:
        """End the streams to readers, who may come again: a process is about to end."""
        self.assistant.is_closing.set()

    async def aclose(self) -> None:
        """End streams and turns."""
        self.drain()
        await self.assistant.desk.aclose()


def limits_of(settings: Settings) -> ChatLimits:
    """The bounds that the settings give."""
    chat, llm = settings.chat, settings.llm
    return ChatLimits(
        steps_per_turn=chat.steps_per_turn,
        calls_per_turn=chat.calls_per_turn,
        calls_per_step=chat.calls_per_step,
        turns_per_person=chat.turns_per_person,
        turns_per_tenant=chat.turns_per_tenant,
        approval_seconds=chat.approval_seconds,
        call_seconds=settings.server.request_timeout_seconds,
        text_characters=chat.max_text_characters,
        answer_tokens=llm.max_tokens,
        temperature=llm.temperature,
        result_characters=chat.result_characters,
        context_characters=chat.context_characters,
        tokens_per_day=chat.tokens_per_day,
    )


class SignIns:
    """Knows of sign-ins whether they were ended, which nothing else tells a turn that lasts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def has_ended(self, principal: Principal) -> Refuse | None:
        """A refusal, where `principal` was identified by a sign-in that is over."""
        evidence = principal.evidence
        if evidence is None or evidence.means is not Means.SESSION:
            return None
        try:
            session_id = UUID(evidence.credential_id)
        except ValueError:
            return _OVER
        async with self._database.read() as session:
            tenant = await Tenants(session).find(evidence.tenant)
            if tenant is not None and await Sessions(session, tenant.id).is_open(session_id):
                return None
        return _OVER


async def purge(database: Database, tenants: Callable[[], list[str]], days: int) -> int:
    """Remove what was deleted more than `days` ago; gives how many conversations."""
    before = datetime.now(UTC) - timedelta(days=days)
    count = 0
    for name in tenants():
        async with database.jotting() as session:
            tenant = await Tenants(session).find(name)
            if tenant is not None:
                count += await DeletedConversations(session, tenant.id).purge(before)
    return count


async def keep_purging(database: Database, tenants: Callable[[], list[str]], days: int) -> None:
    """Purge each hour, until cancelled."""
    while True:
        try:
            count = await purge(database, tenants, days)
            if count:
                _log.info("chat.purged", conversations=count)
        except GatewayError as failure:
            _log.warning("chat.not_purged", reason=failure.private)
        except Exception:  # noqa: BLE001 - the edge of this task: it must go on
            _log.exception("chat.not_purged")
        await asyncio.sleep(PURGE_SECONDS)


_OVER: Final = Refuse(
    ErrorCode.TOKEN_EXPIRED,
    public="Your session has ended. Sign in again.",
    private="the sign-in of who talks to the assistant was ended",
)
