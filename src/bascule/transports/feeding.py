"""Changes on a shared channel, from the feed they come from to the client that wanted them.

Source: specification 2026-07-28, basic/patterns/subscriptions.
"""

import structlog

from bascule.gateway.backchannel import Notification
from bascule.gateway.feed import Feed
from bascule.protocol import notices
from bascule.protocol.messages import MessageId
from bascule.protocol.results import Identity, encode_result
from bascule.protocol.versions import Era
from bascule.transports.outbox import Outbox

_log = structlog.get_logger(__name__)


async def tell(feed: Feed, outbox: Outbox, subscription: MessageId = None) -> None:
    """Send what `feed` has until it ends, then close it; all tagged with the subscription, if any.

    A client that reads slowly is waited for: the feed is where changes then pile up, or merge.
    """
    try:
        while (note := await feed.next()) is not None:
            message = _message(note, subscription)
            if message is not None:
                outbox.put(message)
                await outbox.drained()
    finally:
        await feed.close()


def begin(feed: Feed, outbox: Outbox, subscription: MessageId) -> None:
    """Say what will be told; comes before all that the feed has."""
    outbox.put(notices.acknowledgement(feed.granted, subscription))


def end(outbox: Outbox, subscription: MessageId, identity: Identity) -> None:
    """End a subscription from this side: the result it waits for, and the notice the rules want."""
    meta = {notices.SUBSCRIPTION_KEY: subscription}
    outbox.put(encode_result(subscription, {"_meta": meta}, Era.MODERN, identity))
    reason = {"requestId": subscription, "reason": "the gateway ended the subscription"}
    outbox.put(notices.encode_notice(notices.CANCELLED, reason))


def _message(note: Notification, subscription: MessageId) -> bytes | None:
    if subscription is None:
        return notices.encode_notice(note.method, note.params)
    try:
        params = notices.tagged(note.params, subscription)
    except ValueError:
        _log.warning("subscription.note_dropped", method=note.method)
        return None
    return notices.encode_notice(note.method, params)
