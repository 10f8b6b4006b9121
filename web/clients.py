"""Who is asking, and how often it went wrong. Only failures are limited: nobody can crowd out honest traffic."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from aiohttp import web
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

_MOST_HOPS = 16
_IPV6_SITE_BITS = 64

Network = IPv4Network | IPv6Network


def client_address(request: web.BaseRequest, trusted: Sequence[Network]) -> str:
    """Return the address of who asks: the nearest hop that is not a proxy of ours (threats W30)."""
    address = _plain(request.remote or "")
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
    for hop in reversed(forwarded[-_MOST_HOPS:]):
        if not _is_trusted(address, trusted) or not (claimed := _plain(hop)):
            return address
        address = claimed
    return address


def neighbourhood(address: str) -> str:
    """Return what failures are counted by: an IPv4 address, or the /64 that one IPv6 customer has (threats T17)."""
    if ":" not in address:
        return address
    return str(IPv6Network((IPv6Address(address), _IPV6_SITE_BITS), strict=False))


class FailureLimit:
    """Counts failures per client in memory; whoever has too many gets a shorter answer."""

    def __init__(self, rate: str) -> None:
        """Take a rate such as "20/minute"."""
        self._rate: RateLimitItem = parse(rate)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    async def count(self, address: str) -> bool:
        """Count one failure; say whether the client is still within the limit."""
        return await self._limiter.hit(self._rate, neighbourhood(address))

    async def is_used_up(self, address: str) -> bool:
        """Say whether a client has no failures left."""
        return not await self._limiter.test(self._rate, neighbourhood(address))


def _plain(text: str) -> str:
    """Return an address in its one spelling, "" for anything else; an IPv4 address in IPv6 clothes is IPv4."""
    try:
        address = ip_address(text.strip())
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Address(int(address)))
    return str(address)


def _is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    return bool(address) and any(ip_address(address) in network for network in trusted)
