"""The seller's accounts: key, webhook, catalogue, portal (P01 to P09)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from app.checks.making import BEFORE_START, EVERYWHERE, check, fail, hint, listed, warn
from app.checks.patient import Patient
from membership import resync
from membership.checks import Area, Category, Check, Finding, Run, Skip, in_words
from membership.errors import Blocked, Reason
from membership.model import Plan
from membership.ports import Examination, Price, WebhookEndpoint
from membership.records import Account
from storage.examination import has_event

LATE = timedelta(minutes=15)
WEBHOOK_PATH = "/webhooks/"

AccountRule = Callable[[str, Examination], Awaitable[Sequence[Finding]]]


def checks(patient: Patient) -> list[Check]:
    """Return the checks of this area."""
    rules = Payments(patient)
    area, each = Area.PAYMENTS, rules.of_each
    return [
        check("P01", area, "The key works", rules.keys, where={*BEFORE_START, Category.PANEL}),
        check("P02", area, "The key may do what is needed", each(rules.permissions)),
        check("P03", area, "Events are sent to this Doorlist", each(rules.webhook)),
        check("P04", area, "Events can be told from forged ones", each(rules.secret)),
        check("P05", area, "No event is missing", each(rules.backlog)),
        check("P06", area, "Everything that is sold gives something", rules.catalogue, where=EVERYWHERE),
        check("P07", area, "Customers can help themselves", each(rules.portal)),
        check("P08", area, "Test and live are not mixed", rules.modes, where=EVERYWHERE),
        check("P09", area, "Events come in a form that is known", each(rules.version)),
    ]


class Payments:
    """The rules; most look at one account."""

    def __init__(self, patient: Patient) -> None:
        """Take what is looked at."""
        self._patient = patient

    def of_each(self, rule: AccountRule) -> Run:
        """Return a run of a rule over the accounts of every payment platform."""

        async def run() -> Sequence[Finding]:
            names = await self._patient.sellers()
            return [found for name in names for found in await rule(name, await self._patient.account(name))]

        return run

    async def keys(self) -> Sequence[Finding]:
        """Look whether each platform takes our key."""
        findings = []
        for name in await self._patient.sellers():
            try:
                # One request at a start. Later the platform has to be asked anew: an account is remembered.
                if self._patient.is_starting:
                    await self._patient.services.sellers.by_name[name].account()
                else:
                    await self._patient.account(name)
            except Blocked as refusal:
                if refusal.reason is not Reason.CREDENTIALS_REFUSED:
                    raise
                cause = f"{name.title()} refuses the key: {in_words(refusal)}"
                fix = f"Make a new key in {name.title()}'s dashboard and put it into secrets/payments__{name}__api_key."
                findings.append(fail(f"{name.title()}'s key", cause, fix))
        return findings

    async def permissions(self, name: str, found: Examination) -> Sequence[Finding]:
        """Look for permissions that a restricted key lacks."""
        if not found.missing_permissions:
            return []
        cause = f"The key lacks {listed(found.missing_permissions)}."
        fix = f"{name.title()}'s dashboard → Developers → API keys → the key → Edit: tick it."
        return [fail(f"{name.title()}'s key", cause, fix)]

    async def webhook(self, name: str, found: Examination) -> Sequence[Finding]:
        """Look for the endpoint that sends to us, switched on and with every event."""
        if found.webhooks is None:
            raise Skip("the key may not look at webhooks (Webhook Endpoints: read)")
        wanted = f"{self._patient.public_url}{WEBHOOK_PATH}{name}"
        ours = [webhook for webhook in found.webhooks if webhook.url.rstrip("/") == wanted]
        if not ours:
            # Its host alone: the rest may be a secret, and staff of servers read this, too.
            others = f" There is one for {urlsplit(found.webhooks[0].url).hostname}." if found.webhooks else ""
            cause = f"No webhook sends to {wanted}: purchases are seen only once an hour.{others}"
            fix = f"{name.title()}'s dashboard → Developers → Webhooks → Add endpoint {wanted}"
            return [fail("Webhook", cause, fix)]
        if any(webhook.is_enabled and not webhook.missing_events for webhook in ours):
            return []
        return [self._flaw(name, ours[0])]

    async def secret(self, name: str, _: Examination) -> Sequence[Finding]:
        """Look whether we have the secret that events are signed with."""
        if self._patient.services.sellers.by_name[name].can_receive:
            return []
        cause = "No webhook secret is set, so every event is turned away: anybody could have sent it."
        fix = f"{name.title()}'s dashboard → Webhooks → the endpoint → Signing secret; into "
        return [fail("Webhook secret", cause, f"{fix}secrets/payments__{name}__webhook_secret.")]

    async def backlog(self, name: str, found: Examination) -> Sequence[Finding]:
        """Look whether the platform's newest event has come in."""
        if not found.newest_event_id or found.newest_event_at is None:
            return []
        age = self._patient.clock.now() - found.newest_event_at
        if age < LATE or await has_event(self._patient.database, name, found.newest_event_id):
            return []

        async def pull() -> str:
            new = await resync.poll_events(self._patient.services, name)
            return f"Took in {new} events." if new else "Listed everything."

        cause = f"{name.title()} has had a newer event for {round(age.total_seconds() / 60)} min than has come in here."
        fix = "Look at the proxy, and at the deliveries in the dashboard. I ask by myself once an hour."
        return [warn("Missing events", cause, fix, repair=pull)]

    async def catalogue(self) -> Sequence[Finding]:
        """Look for things that are sold and give nothing, and for plans whose product is not sold."""
        plans = [plan for file in await self._patient.files() for plan in file.plans]
        async with self._patient.services.store.read() as tx:
            everywhere = [plan for plan in await tx.plans.all() if not plan.is_archived]
        findings = []
        for account, prices in await self._stocks():
            findings += [*judge_stock(account, prices, everywhere), *judge_plans(account, prices, plans)]
        return findings

    async def portal(self, name: str, found: Examination) -> Sequence[Finding]:
        """Look at what customers may do by themselves."""
        if found.portal is None:
            raise Skip("the key may not look at the customer portal (Customer portal: read)")
        cannot = [
            *([] if found.portal.can_cancel else ["cancel"]),
            *([] if found.portal.can_change_card else ["change their card"]),
        ]
        if not cannot:
            return []
        cause = f"Customers cannot {' or '.join(cannot)} by themselves: they write to you, or to their bank."
        fix = f"{name.title()}'s dashboard → Settings → Billing → Customer portal → Save."
        return [warn("Customer portal", cause, fix)]

    async def modes(self) -> Sequence[Finding]:
        """Look for plans that are sold by another account than the one that is configured."""
        services = self._patient.services
        ours = [await services.sellers.account(name) for name in await self._patient.sellers()]
        async with services.store.read() as tx:
            accounts = {account.id: account for account in await tx.accounts.all()}
        findings = []
        for plan in (plan for file in await self._patient.files() for plan in file.plans):
            elsewhere = {product.account_id for product in plan.products} - {account.id for account in ours}
            foreign = [accounts[account_id] for account_id in elsewhere if account_id in accounts]
            if foreign:
                kind = "live" if foreign[0].is_live else "test"
                cause = f"The plan {plan.name} has products of another {kind} account than the key's."
                findings.append(fail("Test and live", cause, "/plan edit: choose the product of this account."))
        return findings

    async def version(self, name: str, found: Examination) -> Sequence[Finding]:
        """Look whether events come in an API version that is tested."""
        oldest, newest = found.tested_versions
        odd = [
            webhook.api_version
            for webhook in found.webhooks or ()
            if webhook.api_version and not oldest <= webhook.api_version[:10] <= newest
        ]
        if not odd:
            return []
        cause = f"The webhook renders events in version {odd[0]}; tested are {oldest} to {newest}."
        fix = f"Make a new endpoint with version {newest}, then delete the old one. Everything is read anew anyway."
        return [hint("API version", cause, fix)]

    def _flaw(self, name: str, webhook: WebhookEndpoint) -> Finding:
        async def repair() -> str:
            await self._patient.services.sellers.by_name[name].repair_webhook(webhook.external_id, webhook.url)
            return "The webhook sends every event again, with the same secret."

        if webhook.is_enabled:
            cause = f"The webhook leaves out {listed(webhook.missing_events)}."
            fix = "Dashboard → Webhooks → the endpoint → Edit: add them."
        else:
            cause = f"{name.title()} has switched the webhook off, as it does after days of failures."
            fix = "Dashboard → Webhooks → the endpoint → Enable."
        return fail("Webhook", cause, fix, repair=repair)

    async def _stocks(self) -> list[tuple[Account, Sequence[Price]]]:
        services = self._patient.services
        ours = [await services.sellers.account(name) for name in await self._patient.sellers()]
        async with services.store.read() as tx:
            return [(account, await tx.accounts.prices(account.id)) for account in ours]


def judge_stock(account: Account, prices: Sequence[Price], plans: Sequence[Plan]) -> list[Finding]:
    """Look for what an account sells and no plan is unlocked by."""
    products = [product for plan in plans for product in plan.products if product.account_id == account.id]
    idle = {
        price.product_name or price.product_id
        for price in prices
        if price.is_active
        and not any((each.product_id, each.price_id or price.external_id) == _ids(price) for each in products)
    }
    if not idle:
        return []
    cause = f"{listed(sorted(idle))} can be bought and gives nothing in Discord."
    return [warn("Sold without a plan", cause, "Add it to a plan (/plan edit), or archive it at the seller.")]


def judge_plans(account: Account, prices: Sequence[Price], plans: Sequence[Plan]) -> list[Finding]:
    """Look for plans that nothing on sale unlocks any more."""
    sold = {known for price in prices if price.is_active for known in _ids(price)}
    findings = []
    for plan in plans:
        mapped = [product for product in plan.products if product.account_id == account.id]
        if mapped and not any((product.price_id or product.product_id) in sold for product in mapped):
            cause = f"Nothing that unlocks {plan.name} is sold any more. Who has it keeps it."
            fix = f"/plan edit {plan.slug}: choose another product, or archive the plan."
            findings.append(warn("Plans nobody can buy", cause, fix))
    return findings


def _ids(price: Price) -> tuple[str, str]:
    return price.product_id, price.external_id
