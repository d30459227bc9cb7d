"""Events: stored with the change that caused them, relayed to Redis Streams, handled once per service."""

from datamate.platform.events.subscribers import (
    BroadcastSubscriber,
    Subscriber,
    broadcast,
    collect_broadcasts,
    collect_subscribers,
    subscribe,
)

__all__ = [
    "BroadcastSubscriber",
    "Subscriber",
    "broadcast",
    "collect_broadcasts",
    "collect_subscribers",
    "subscribe",
]
