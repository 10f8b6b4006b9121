"""The demo server and the demo shop that a fresh sandbox starts with. Sample data, and nothing of Doorlist's."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.discord.local import LocalDiscord
from sandbox.discord.permissions import Permission
from sandbox.discord.world import Channel, Guild, Role, User
from sandbox.pictures import disc
from sandbox.stripe.control import Interval
from sandbox.stripe.local import LocalStripe

BUYER_EMAIL = "ada@example.com"
SUPPORTERS = (
    *("Alma", "Boris", "Carla", "Dario", "Elena", "Fabio", "Greta", "Hugo"),
    *("Ines", "Jonas", "Katja", "Luca", "Marta", "Nils", "Oskar", "Paula"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """The people: Olga owns the server, Sam is staff, Ben and Kim are members, Ada is about to buy and is outside.

    Nora owns the server next door, and has nothing to say in this one.
    """

    olga: User
    sam: User
    ada: User
    ben: User
    kim: User
    nora: User


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The demo server's parts. Staff may manage roles; sixteen members hold Supporter from before, and paid nowhere."""

    guild: Guild
    staff: Role
    supporter: Role
    vip: Role
    trial: Role
    past_due: Role
    welcome: Channel
    get_access: Channel
    lounge: Channel
    moderators: Channel
    log: Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """The server next door, where the bot is too: its staff must see nothing of the demo server."""

    guild: Guild
    regular: Role
    lobby: Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Olga's other server, which the bot has not been added to yet. Sam may manage roles there; Ben is a member."""

    guild: Guild
    maker: Role
    lobby: Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Ware:
    """One thing the demo shop sells; `slug` is Doorlist's plan for it, `amount` in minor units of EUR."""

    slug: str
    name: str
    amount: int
    interval: str
    product_id: str
    price_id: str

    @property
    def price(self) -> str:
        """Return the price as people read it."""
        return f"{self.amount / 100:.2f} €"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """Everything that Doorlist's settings and plans are made from; the `spare` wares are sold and open no plan yet."""

    cast: Cast
    server: Server
    neighbour: Neighbour
    workshop: Workshop
    wares: tuple[Ware, ...]
    spare: tuple[Ware, ...]
    webhook_secret: str


def seed(discord: LocalDiscord, stripe: LocalStripe, doorlist_url: str) -> Seed:
    """Fill fresh emulators; Doorlist's redirect address and webhook endpoint are registered at `doorlist_url`."""
    discord.portal.redirect_uris.add(f"{doorlist_url}/oauth/discord/callback")
    cast = Cast(
        ada=discord.create_user("ada", email=BUYER_EMAIL, global_name="Ada"),
        ben=discord.create_user("ben", email="ben@example.com", global_name="Ben"),
        kim=discord.create_user("kim", email="kim@example.com", global_name="Kim"),
        olga=discord.create_user("olga", email="olga@example.com", global_name="Olga"),
        sam=discord.create_user("sam", email="sam@example.com", global_name="Sam"),
        nora=discord.create_user("nora", email="nora@example.com", global_name="Nora"),
    )
    return Seed(
        cast=cast,
        server=_server(discord, cast),
        neighbour=_neighbour(discord, cast),
        workshop=_workshop(discord, cast),
        wares=_wares(stripe),
        spare=(
            _ware(stripe, slug="backstage", name="Backstage", amount=2500, interval="month"),
            _ware(stripe, slug="patron", name="Patron", amount=500, interval="month"),
        ),
        webhook_secret=stripe.add_endpoint(f"{doorlist_url}/webhooks/stripe"),
    )


def _server(discord: LocalDiscord, cast: Cast) -> Server:
    guild = discord.create_guild("Demo Server", owner=cast.olga, bot_position=10)
    discord.people.set_icon(guild, disc((59, 70, 196), (255, 214, 102)))
    staff = discord.create_role(guild, "Staff", position=9, permissions=Permission.MANAGE_ROLES)
    vip = discord.create_role(guild, "VIP", position=5)
    trial = discord.create_role(guild, "VIP trial", position=4)
    past_due = discord.create_role(guild, "Past due", position=3)
    supporter = discord.create_role(guild, "Supporter", position=2)
    for user in (cast.ben, cast.kim):
        discord.create_member(guild, user)
    discord.create_member(guild, cast.sam, staff)
    for name in SUPPORTERS:
        discord.create_member(guild, discord.create_user(name.lower(), global_name=name), supporter)
    server = Server(
        guild=guild,
        staff=staff,
        supporter=supporter,
        vip=vip,
        trial=trial,
        past_due=past_due,
        welcome=discord.create_channel(guild, "welcome"),
        get_access=discord.create_channel(guild, "get-access"),
        lounge=discord.create_channel(guild, "vip-lounge", visible_to=[vip]),
        moderators=discord.create_channel(guild, "moderators", visible_to=[staff]),
        log=discord.create_channel(guild, "membership-log", visible_to=[staff]),
    )
    discord.people.say(server.welcome, cast.olga, "Welcome to the demo server!")
    discord.people.say(server.get_access, cast.olga, "Bought VIP? Write here: `!claim` and the code from your mail.")
    discord.people.say(server.lounge, cast.olga, "You can read this, so you have VIP. Make yourself at home.")
    return server


def _neighbour(discord: LocalDiscord, cast: Cast) -> Neighbour:
    guild = discord.create_guild("Next Door", owner=cast.nora, bot_position=10)
    discord.people.set_icon(guild, disc((14, 107, 92), (240, 240, 240)))
    return Neighbour(
        guild=guild,
        regular=discord.create_role(guild, "Regular", position=2),
        lobby=discord.create_channel(guild, "lobby"),
    )


def _workshop(discord: LocalDiscord, cast: Cast) -> Workshop:
    guild = discord.create_guild("Ada's Workshop", owner=cast.olga, bot_position=None)
    discord.people.set_icon(guild, disc((150, 52, 28), (250, 224, 196)))
    foreman = discord.create_role(guild, "Foreman", position=3, permissions=Permission.MANAGE_ROLES)
    maker = discord.create_role(guild, "Maker", position=2)
    discord.create_role(guild, "Apprentice", position=1)
    discord.create_member(guild, cast.sam, foreman)
    discord.create_member(guild, cast.ben, maker)
    lobby = discord.create_channel(guild, "workbench")
    discord.create_channel(guild, "showroom")
    return Workshop(guild=guild, maker=maker, lobby=lobby)


def _wares(stripe: LocalStripe) -> tuple[Ware, ...]:
    return (
        _ware(stripe, slug="vip", name="VIP", amount=900, interval="month"),
        _ware(stripe, slug="vip-year", name="VIP year", amount=9000, interval="year"),
        _ware(stripe, slug="pass", name="30-day pass", amount=1200, interval=None),
        _ware(stripe, slug="lifetime", name="Lifetime", amount=19900, interval=None),
    )


def _ware(stripe: LocalStripe, *, slug: str, name: str, amount: int, interval: Interval | None) -> Ware:
    price = stripe.control.add_price(name, amount, interval=interval)
    return Ware(
        slug=slug, name=name, amount=amount, interval=interval or "", product_id=price["product"], price_id=price["id"]
    )
