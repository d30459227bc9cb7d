"""Events: stored with the change that caused them, relayed to Redis Streams, handled once per service."""

from datamate.platform.events.broadcasting import BroadcastListener
from datamate.platform.events.consumer import Consumer, ConsumerTuning
from datamate.platform.events.reconciler import Reconciler
from datamate.platform.events.redrive import redrive
from datamate.platform.events.relay import Relay
from datamate.platform.events.subscribers import (
    BroadcastSubscriber,
    Subscriber,
    broadcast,
    collect_broadcasts,
    collect_subscribers,
    subscribe,
)

__all__ = [
    "BroadcastListener",
    "BroadcastSubscriber",
    "Consumer",
    "ConsumerTuning",
    "Reconciler",
    "Relay",
    "Subscriber",
    "broadcast",
    "collect_broadcasts",
    "collect_subscribers",
    "redrive",
    "subscribe",
]
