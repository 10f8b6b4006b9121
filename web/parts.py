"""What the pages need from the rest of Doorlist: the frozen bundle, and the questions that they ask membership.

Only shapes and words live here. Texts are plain names for people; no field carries markup, secrets come in as values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from membership.checks import Result
from membership.errors import Reason
from membership.ledgers import Intake, Store
from membership.model import GuildId, PurchaseId, UserId
from membership.ports import Clock, Provider, Randomness
from membership.services import Services
from web.config import WebSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscordApplication:
    """The application that people sign in with. `api_url` has the version in it; neither address ends in a slash."""

    client_id: str
    client_secret: str
    api_url: str = "https://discord.com/api/v10"
    site_url: str = "https://discord.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscordIdentity:
    """Who signed in at Discord. `email` is filled only when Discord calls it verified."""

    user_id: UserId
    username: str
    display_name: str = ""
    email: str = ""

    @property
    def handle(self) -> str:
        """Return the name as people write it."""
        return f"@{self.username}"


class LinkState(StrEnum):
    """What a mailed link is good for now."""

    READY = "ready"
    LINKED = "linked"
    """Somebody is connected, and the link may still move the purchase to another account."""
    USED = "used"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectPreview:
    """What a link stands for, shown before anything happens. `purchase_id` is None only for UNKNOWN.

    `masked_email` is like "a••@example.com". `linked_to` is the handle that has the purchase now, "" for none.
    """

    state: LinkState
    purchase_id: PurchaseId | None = None
    plan_names: tuple[str, ...] = ()
    server_names: tuple[str, ...] = ()
    masked_email: str = ""
    linked_to: str = ""
    guild_ids: tuple[GuildId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectReview:
    """What connecting this purchase to this Discord account would do.

    `moves_from` is the handle that would lose the purchase, "" for none. `also_holds` is the masked e-mail of another
    customer whose purchase this Discord account has already, "" for none.
    """

    preview: ConnectPreview
    moves_from: str = ""
    also_holds: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectRequest:
    """A person's confirmed wish. The token may join servers where `scopes` says so, and is kept no longer than this."""

    purchase_id: PurchaseId
    user: DiscordIdentity
    access_token: str
    scopes: frozenset[str]


class ConnectResult(StrEnum):
    """How a try to connect ended."""

    CONNECTED = "connected"
    NEEDS_MOVE = "needs_move"
    """Another Discord account holds the purchase: `confirm_move` would take it from there."""
    MOVES_USED_UP = "moves_used_up"
    NOT_AVAILABLE = "not_available"
    """The purchase ended, or the link was used meanwhile."""


class AccessState(StrEnum):
    """How far one plan in one server has come."""

    WAITING_FOR_LINK = "waiting_for_link"
    WORKING = "working"
    DELIVERED = "delivered"
    JOIN_NEEDED = "join_needed"
    RULES_NEEDED = "rules_needed"
    FAILED = "failed"


class Delay(StrEnum):
    """What holds up a plan that is being given."""

    NONE = "none"
    TROUBLE = "trouble"
    """Discord did not do what we asked, and is asked again."""
    PAUSED = "paused"
    """Staff have paused role changes in the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAccess:
    """One plan in one server. `reason` is given with FAILED and JOIN_NEEDED; `wait_seconds`: until our next try."""

    plan_name: str
    server_name: str
    state: AccessState
    guild_id: GuildId | None = None
    reason: Reason | None = None
    invite_url: str = ""
    open_url: str = ""
    wait_seconds: int = 0
    delay: Delay = Delay.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectOutcome:
    """What came of connecting: one entry per server when CONNECTED.

    `again_at` is when the purchase may be moved again after MOVES_USED_UP, None: only staff can.
    """

    result: ConnectResult
    access: tuple[ServerAccess, ...] = ()
    again_at: datetime | None = None


class VerifyResult(StrEnum):
    """What came of a sign-in that began at a button in Discord."""

    CONNECTED = "connected"
    NOTHING = "nothing"
    """Nothing that lives was bought with the verified address."""
    UNVERIFIED = "unverified"
    SOMEBODY_ELSES = "somebody_elses"
    MOVED_TOO_OFTEN = "moved_too_often"
    SWITCHED_OFF = "switched_off"
    OTHER_ACCOUNT = "other_account"
    """Not the Discord account that pressed the button came back."""
    TICKET_OLD = "ticket_old"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """Who pressed the button in Discord ("@ada"), and in which server ("" in direct messages)."""

    handle: str
    server_name: str
    guild_ids: tuple[GuildId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyRequest:
    """Who came back from Discord with a ticket. The token may join servers where `scopes` says so."""

    ticket_digest: str
    user: DiscordIdentity
    access_token: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOutcome:
    """What came of it. `expected` is the handle that pressed the button; `masked_email` what Discord named.

    `again_at` is when what was bought may be moved again after MOVED_TOO_OFTEN, None: only staff can.
    """

    result: VerifyResult
    purchase_ids: tuple[PurchaseId, ...] = ()
    expected: str = ""
    masked_email: str = ""
    again_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A purchase on its way to a role. `purchase_id` is None while the payment is not confirmed.

    `amount` in minor units; `connected_as` is a handle, "" for nobody. `claim_channel` is a channel's name without #.
    """

    is_paid: bool
    purchase_id: PurchaseId | None = None
    buyer_name: str = ""
    masked_email: str = ""
    amount: int = 0
    currency: str = ""
    connected_as: str = ""
    claim_channel: str = ""
    access: tuple[ServerAccess, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One part's health; `since` when it went wrong."""

    is_ok: bool
    text: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether this process can do its work (EXPERIENCE 7.4). Checks by name: database, discord, run ..."""

    checks: Mapping[str, Check]

    @property
    def is_ready(self) -> bool:
        """Say whether every part is well."""
        return all(check.is_ok for check in self.checks.values())


class UseCases(Protocol):
    """What the pages ask membership to do. Each may raise Retry, Blocked or UserError besides what it says."""

    async def begin_connect(self, token_digest: str) -> ConnectPreview:
        """Say what a mailed link stands for. Changes nothing: mail scanners open links (threats O08)."""

    async def mail_new_link(self, token_digest: str) -> None:
        """Mail a new link to the payer behind an old one, within limits. Raises Gone("link")."""

    async def review(self, purchase_id: PurchaseId, user: DiscordIdentity) -> ConnectReview:
        """Say what connecting would do, for the page that asks for the last yes. Changes nothing."""

    async def connect(self, request: ConnectRequest) -> ConnectOutcome:
        """Link, join and give the roles; wait a few seconds for them. Never takes a purchase from another account."""

    async def confirm_move(self, request: ConnectRequest) -> ConnectOutcome:
        """Do the same and take the purchase from the account that has it now; within the limit of moves."""

    async def ticket(self, ticket_digest: str) -> Ticket | None:
        """Return what a ticket from Discord stands for, None when it is old or unknown. Changes nothing."""

    async def verify(self, request: VerifyRequest) -> VerifyOutcome:
        """Connect what the verified address bought to the account that pressed the button, and wait a few seconds."""

    async def progress(self, purchase_id: PurchaseId) -> Progress:
        """Say how far a purchase is. Changes nothing."""

    async def is_payer(self, session_id: str, key_digest: str) -> bool:
        """Say whether a key came back with the browser that paid for this checkout."""

    async def purchase_of_checkout(self, session_id: str, *, is_late: bool) -> Progress | None:
        """Say how far the purchase of a checkout is, None when nobody knows it. `is_late`: ask the provider itself."""

    async def billing(self, token_digest: str) -> str:
        """Return where the buyer behind a mailed link manages billing. Raises Gone("link")."""

    async def health(self) -> Health:
        """Look at every part without asking the outside."""


class Doctor(Protocol):
    """Who looks a server over."""

    async def examine(self, guild_id: GuildId) -> Sequence[Result]:
        """Run the checks that concern this server and return their results, in the order to show them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything the web application is built from.

    `public_url` is the origin that people and providers use, without a trailing slash. `checkout_origins` are the
    origins that a form of ours may lead to (browsers apply form-action to the redirect as well). `claim_command` is
    what people type before a code. `is_sandbox` paints every page so that it can never be taken for the real one.
    `doctor` None: nobody looks servers over here. `origins`: where each setting that is no default was set, by key.
    """

    settings: WebSettings
    public_url: str
    discord: DiscordApplication
    services: Services
    store: Store
    intake: Intake
    providers: Mapping[str, Provider]
    use_cases: UseCases
    clock: Clock
    randomness: Randomness
    checkout_origins: tuple[str, ...] = ("https://checkout.stripe.com", "https://billing.stripe.com")
    claim_command: str = "!claim"
    is_sandbox: bool = False
    doctor: Doctor | None = None
    origins: Mapping[str, str] = field(default_factory=dict)
