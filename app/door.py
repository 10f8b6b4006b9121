"""What the pages ask of membership, in the pages' own shapes: implements web.parts.UseCases. Decides nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from math import ceil

from membership import linking, shop, verifying
from membership.addresses import masked
from membership.errors import Reason
from membership.linking import Standing, Verdict, Wish
from membership.model import Grant, GrantState, MemberKey, PurchaseId, PurchaseStatus, UserId
from membership.records import Guild
from membership.services import Services
from membership.verifying import SignedIn
from web.parts import (
    AccessState,
    ConnectOutcome,
    ConnectPreview,
    ConnectRequest,
    ConnectResult,
    ConnectReview,
    Delay,
    DiscordIdentity,
    Health,
    LinkState,
    Progress,
    ServerAccess,
    Ticket,
    VerifyOutcome,
    VerifyRequest,
    VerifyResult,
)

_RESULTS = {
    Verdict.CONNECTED: ConnectResult.CONNECTED,
    Verdict.NEEDS_MOVE: ConnectResult.NEEDS_MOVE,
    Verdict.MOVES_USED_UP: ConnectResult.MOVES_USED_UP,
    Verdict.NOT_AVAILABLE: ConnectResult.NOT_AVAILABLE,
}


class Door:
    """The pages' way to membership."""

    def __init__(self, services: Services, *, site_url: str, look: Callable[[], Awaitable[Health]]) -> None:
        """Take the services, Discord's address for people, and what looks at the process's health."""
        self._services = services
        self._site_url = site_url
        self._look = look

    async def begin_connect(self, token_digest: str) -> ConnectPreview:
        """Say what a mailed link stands for."""
        found = await linking.token_standing(self._services, token_digest)
        token, standing = found or (None, None)
        if token is None or standing is None:
            return ConnectPreview(state=LinkState.UNKNOWN)
        if token.is_spent or token.user_id is not None:
            # A user's own token was made for a checkout or for billing: it connects and moves nothing.
            state = LinkState.USED
        elif token.expires_at <= self._services.clock.now():
            state = LinkState.EXPIRED
        else:
            state = LinkState.READY if standing.linked_to is None else LinkState.LINKED
        return await self._preview(standing, state)

    async def mail_new_link(self, token_digest: str) -> None:
        """Mail a new link to the payer behind an old one."""
        await linking.mail_new_link(self._services, token_digest)

    async def review(self, purchase_id: PurchaseId, user: DiscordIdentity) -> ConnectReview:
        """Say what connecting this purchase to this account would do."""
        standing = await linking.standing(self._services, purchase_id)
        is_move = standing.linked_to not in (None, user.user_id)
        state = LinkState.READY if standing.linked_to is None else LinkState.LINKED
        others = await linking.other_customers(self._services, user.user_id, standing.purchase)
        preview = await self._preview(standing, state)
        return ConnectReview(
            preview=preview,
            moves_from=preview.linked_to if is_move else "",
            also_holds=masked(others[0]) if others else "",
        )

    async def connect(self, request: ConnectRequest) -> ConnectOutcome:
        """Link, join and give the roles."""
        return await self._connect(request, may_move=False)

    async def confirm_move(self, request: ConnectRequest) -> ConnectOutcome:
        """Do the same and take the purchase from the account that has it now."""
        return await self._connect(request, may_move=True)

    async def ticket(self, ticket_digest: str) -> Ticket | None:
        """Return what a ticket from Discord stands for."""
        found = await verifying.look(self._services, ticket_digest)
        if found is None:
            return None
        guild_ids = (found.guild_id,) if found.guild_id else ()
        return Ticket(handle=found.handle, server_name=found.server_name, guild_ids=guild_ids)

    async def verify(self, request: VerifyRequest) -> VerifyOutcome:
        """Connect what the verified address bought to the account that pressed the button."""
        signed_in = SignedIn(
            user_id=request.user.user_id,
            email=request.user.email,
            access_token=request.access_token,
            scopes=request.scopes,
        )
        verified = await verifying.verify(self._services, request.ticket_digest, signed_in)
        return VerifyOutcome(
            result=VerifyResult(verified.found.value),
            purchase_ids=verified.purchases,
            expected=verified.ticket.handle if verified.ticket else "",
            masked_email=masked(request.user.email),
            again_at=None if verified.refused is None else verified.refused.until,
        )

    async def progress(self, purchase_id: PurchaseId) -> Progress:
        """Say how far a purchase is."""
        standing = await linking.standing(self._services, purchase_id)
        guild = standing.grants[0][2] if standing.grants else None
        channel = guild.claim_channel_id if guild else None
        return Progress(
            is_paid=standing.purchase.status is not PurchaseStatus.PENDING,
            purchase_id=purchase_id,
            buyer_name=standing.name,
            masked_email=masked(standing.email),
            amount=standing.purchase.amount,
            currency=standing.purchase.currency,
            connected_as=await self._handle(standing.linked_to),
            claim_channel=self._services.discord.channel_name(channel) if channel else "",
            access=await self._access(standing),
        )

    async def is_payer(self, session_id: str, key_digest: str) -> bool:
        """Say whether a key came back with the browser that paid for this checkout."""
        return await shop.is_payer(self._services, session_id, key_digest)

    async def purchase_of_checkout(self, session_id: str, *, is_late: bool) -> Progress | None:
        """Say how far the purchase of a checkout is, None when nobody knows it."""
        purchase_id = await shop.purchase_of_checkout(self._services, session_id, ask=is_late)
        return None if purchase_id is None else await self.progress(purchase_id)

    async def billing(self, token_digest: str) -> str:
        """Return where the buyer behind a mailed link manages billing."""
        return await shop.billing_url(self._services, token_digest)

    async def health(self) -> Health:
        """Look at every part of the process."""
        return await self._look()

    async def _connect(self, request: ConnectRequest, *, may_move: bool) -> ConnectOutcome:
        wish = Wish(
            purchase_id=request.purchase_id,
            user_id=request.user.user_id,
            access_token=request.access_token,
            scopes=request.scopes,
            may_move=may_move,
        )
        answer = await linking.connect(self._services, wish)
        if answer.verdict is not Verdict.CONNECTED:
            again_at = None if answer.refused is None else answer.refused.until
            return ConnectOutcome(result=_RESULTS[answer.verdict], again_at=again_at)
        standing = await linking.standing(self._services, request.purchase_id)
        return ConnectOutcome(result=ConnectResult.CONNECTED, access=await self._access(standing))

    async def _preview(self, standing: Standing, state: LinkState) -> ConnectPreview:
        return ConnectPreview(
            state=state,
            purchase_id=standing.purchase.id,
            plan_names=tuple(plan.name for _, plan, _ in standing.grants),
            server_names=tuple(sorted({guild.name for _, _, guild in standing.grants})),
            guild_ids=tuple(sorted({guild.id for _, _, guild in standing.grants})),
            masked_email=masked(standing.email),
            linked_to=await self._handle(standing.linked_to),
        )

    async def _handle(self, user_id: UserId | None) -> str:
        return "" if user_id is None else await self._services.discord.handle(user_id)

    async def _access(self, standing: Standing) -> tuple[ServerAccess, ...]:
        holder, now = standing.linked_to, self._services.clock.now()
        is_tried = holder is not None and self._services.permits.of(holder, now) is not None
        found = []
        for grant, plan, guild in standing.grants:
            is_outside = grant.id in standing.outside
            state = _access_state(grant, is_linked=holder is not None, is_outside=is_outside, is_joining=is_tried)
            is_waiting = state is AccessState.WORKING and holder is not None
            delay, seconds = await self._delay(guild, holder) if is_waiting else (Delay.NONE, 0)
            found.append(
                ServerAccess(
                    plan_name=plan.name,
                    server_name=guild.name,
                    state=state,
                    guild_id=guild.id,
                    reason=grant.reason if state in (AccessState.JOIN_NEEDED, AccessState.FAILED) else None,
                    invite_url=await linking.invite_url(self._services, grant, guild) if is_outside else "",
                    open_url=f"{self._site_url}/channels/{guild.id}",
                    wait_seconds=seconds,
                    delay=delay,
                )
            )
        return tuple(found)

    async def _delay(self, guild: Guild, holder: UserId | None) -> tuple[Delay, int]:
        """Say what holds up a member, and the seconds until they are looked at again."""
        if guild.paused_at is not None:
            return Delay.PAUSED, 0
        async with self._services.store.read() as tx:
            job = None if holder is None else await tx.jobs.status("member", str(MemberKey(guild.id, holder)))
        if job is None or not job.last_error:
            return Delay.NONE, 0
        wait = job.due_at - self._services.clock.now()
        return Delay.TROUBLE, max(0, ceil(wait.total_seconds()))


def _access_state(grant: Grant, *, is_linked: bool, is_outside: bool, is_joining: bool) -> AccessState:
    """Say how far a grant is; `is_joining`: we still try to add its holder to the server ourselves."""
    if grant.state is GrantState.PENDING and grant.reason is Reason.NOT_IN_SERVER and is_joining:
        return AccessState.WORKING
    if is_outside:
        return AccessState.JOIN_NEEDED
    match grant.state:
        case GrantState.DELIVERED | GrantState.PAST_DUE:
            return AccessState.DELIVERED
        case GrantState.FAILED | GrantState.HELD | GrantState.REVOKED:
            return AccessState.FAILED
        case GrantState.PENDING:
            if grant.reason is Reason.NOT_LINKED and not is_linked:
                return AccessState.WAITING_FOR_LINK
            if grant.reason is Reason.RULES_NOT_ACCEPTED:
                return AccessState.RULES_NEEDED
            return AccessState.WORKING
