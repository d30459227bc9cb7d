"""Caching in Redis: read-through, single flight, never stale for longer than a relay needs."""

from datamate.platform.cache.cache import Cache
from datamate.platform.cache.cached import cached

__all__ = ["Cache", "cached"]
