"""The shop: what is for sale on which server, one plan with what it gives, and the way to the provider's checkout.

What can be sold is membership.shop's to say. We never see a card.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import structlog
from aiohttp import hdrs, web

from membership import shop
from membership.errors import Blocked, Gone, Retry
from membership.model import OnEnd, Plan
from membership.ports import Price
from membership.records import Guild
from membership.services import Services
from membership.shop import Ware
from web.brand import Brand, brand_of
from web.leaving import leave_by
from web.outcomes import Notice, Step
from web.site import Site
from web.visits import Visit

_RETRY_SECONDS = "30"
_MOST_CHANNELS = 20

log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Good:
    """A plan as a page shows it. `roles` are the names of those that it gives; no `prices`: it is not for sale.

    `channels` are the first of those that its roles open, as far as the page asks for them.
    """

    plan: Plan
    roles: tuple[str, ...]
    prices: tuple[Price, ...]
    channels: tuple[str, ...] = ()
    has_more_channels: bool = False

    @property
    def is_renewing(self) -> bool:
        """Say whether any price renews."""
        return any(price.interval for price in self.prices)

    @property
    def stays_after_end(self) -> bool:
        """Say whether somebody keeps what they got when it ends."""
        return self.plan.on_end is OnEnd.NOTHING

    @property
    def leads_out(self) -> bool:
        """Say whether its end is the end of somebody's place in the server."""
        return self.plan.on_end is OnEnd.KICK

    @property
    def ends_on_refund(self) -> bool:
        """Say whether a full refund takes away what was given."""
        return (self.plan.on_refund or self.plan.on_end) is not OnEnd.NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """What one server sells. `size` is about how many people are in it, 0 when unknown."""

    brand: Brand
    size: int
    goods: tuple[Good, ...]


def install(site: Site) -> None:
    """Add the routes."""
    site.public.get("/", show_shop)
    site.public.get("/plans/{slug}", show_plan)
    site.public.get("/buy/{slug}", show_plan)
    site.public.post("/buy/{slug}", leave_for_checkout)


async def show_shop(visit: Visit) -> web.Response:
    """Show what is for sale, server by server."""
    counters = list(_counters(visit.services, await shop.wares(visit.services)))
    here = replace(visit, brand=counters[0].brand) if len(counters) == 1 else visit
    return here.page("home.html", counters=counters)


async def show_plan(visit: Visit) -> web.Response:
    """Show one plan with its prices and what it gives; one that is no longer sold says so."""
    ware = await _ware(visit)
    return _of(visit, ware.guild).page("plan.html", good=_looked_at(visit.services, ware))


async def leave_for_checkout(visit: Visit) -> web.Response:
    """Make a checkout and send the browser there; by a link where the browser would not follow a form."""
    ware = await _ware(visit)
    here = _of(visit, ware.guild)
    price_id = (await visit.form()).text("price")
    if not ware.offers:
        return here.page("plan.html", status=410, good=_looked_at(visit.services, ware))
    try:
        url = await shop.start_checkout(visit.services, ware.plan.slug, price_id=price_id)
    except Gone as gone:
        log.info("price_not_sold", plan=ware.plan.slug, what=gone.what)
        return here.page("notice.html", status=410, notice=_not_sold(visit, ware.plan))
    except (Retry, Blocked) as trouble:
        return _closed(here, ware.plan, price_id, trouble)
    notice = Notice(
        title=visit.words.say("Buy {plan}", plan=ware.plan.name),
        text=visit.words.say("You pay at our payment provider. Nothing is charged before you confirm there."),
    )
    return leave_by(here, notice, Step(label=visit.words.say("Continue to payment"), url=url))


async def _ware(visit: Visit) -> Ware:
    found = await shop.ware(visit.services, visit.path("slug"))
    if found is None:
        raise Gone("plan")
    return found


def _counters(services: Services, wares: Sequence[Ware]) -> Iterator[Counter]:
    for _, group in groupby(wares, key=lambda ware: ware.guild.id):
        goods = list(group)
        guild = goods[0].guild
        yield Counter(
            brand=brand_of(services, guild),
            size=services.discord.server_size(guild.id),
            goods=tuple(_good(services, ware) for ware in goods),
        )


def _good(services: Services, ware: Ware) -> Good:
    known = services.discord.roles(ware.guild.id)
    return Good(
        plan=ware.plan,
        roles=tuple(known[role].name for role in ware.plan.roles if role in known),
        prices=tuple(offer.price for offer in ware.offers),
    )


def _looked_at(services: Services, ware: Ware) -> Good:
    """Return a plan with the channels that it opens: only its own page has the room for them."""
    opened = services.discord.channels_opened(ware.guild.id, ware.plan.roles, _MOST_CHANNELS + 1)
    return replace(
        _good(services, ware), channels=tuple(opened[:_MOST_CHANNELS]), has_more_channels=len(opened) > _MOST_CHANNELS
    )


def _of(visit: Visit, guild: Guild) -> Visit:
    """Return the same visit under a server's own name."""
    return replace(visit, brand=brand_of(visit.services, guild))


def _not_sold(visit: Visit, plan: Plan) -> Notice:
    return Notice(
        title=visit.words.say("This price is not sold any more"),
        text=visit.words.say("Nothing was charged. Please look at the plan again."),
        tone="warn",
        steps=(Step(label=visit.words.say("Look again"), url=f"/plans/{plan.slug}"),),
    )


def _closed(visit: Visit, plan: Plan, price_id: str, trouble: Retry | Blocked) -> web.Response:
    """Say that nothing can be bought now, and let the same be tried again with one press."""
    reference = visit.parts.randomness.token()[:8]
    log.error("shop_closed", reference=reference, plan=plan.slug, why=str(trouble))
    response = visit.page("closed.html", status=503, plan=plan, price_id=price_id, reference=reference)
    response.headers[hdrs.RETRY_AFTER] = _RETRY_SECONDS
    return response
