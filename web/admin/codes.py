"""Codes that give a plan: made and shown once, listed by label with who used them, switched off."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from aiohttp import web

from membership import codes as code_text
from membership import plan_codes
from membership.errors import Gone, UserError
from membership.model import Plan, PlanId
from membership.plan_codes import LONGEST_DAYS, LONGEST_LABEL, MOST_AT_ONCE, MOST_USES, Target, Terms, label_name
from web import browser
from web.admin.entry_lines import name_of, names_of
from web.site import Site
from web.visits import Form, StaffVisit

MADE = "made_codes"
SHOWN_FOR = timedelta(minutes=15)
"""How long new codes can be looked at and printed; nobody can read them later."""
_LONGEST_NUMBER = 6


def install(site: Site) -> None:
    """Register the pages."""
    site.manager.get("/admin/{guild}/codes", show_labels)
    site.manager.get("/admin/{guild}/codes/new", show_form)
    site.manager.post("/admin/{guild}/codes/new", create)
    site.manager.get("/admin/{guild}/codes/made/{made}", show_made)
    site.manager.get("/admin/{guild}/codes/void/{target}", ask_void)
    site.manager.post("/admin/{guild}/codes/void/{target}", void)
    site.manager.get("/admin/{guild}/codes/{label}", show_codes)


async def show_labels(visit: StaffVisit) -> web.Response:
    """List the labels, each with what its codes come to."""
    labels = await plan_codes.labels(visit.services, visit.actor)
    return visit.page("admin/codes.html", labels=[(label_name(label.label), label) for label in labels])


async def show_codes(visit: StaffVisit) -> web.Response:
    """List the codes with one label, with who used them last."""
    text = visit.query("page")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < _LONGEST_NUMBER else 0
    try:
        listing = await plan_codes.listing(visit.services, visit.actor, visit.path("label")[:64], number)
    except UserError as refusal:
        raise Gone("label") from refusal
    async with visit.store.read() as tx:
        users = [use.user_id for listed in listing.codes for use in listed.uses]
        names = await names_of(tx, visit.guild.id, users)
    return visit.page(
        "admin/code_label.html",
        listing=listing,
        name=label_name(listing.label.label),
        first=listing.page * plan_codes.PAGE + 1,
        who={user_id: name_of(names, user_id) for user_id in users},
    )


async def show_form(visit: StaffVisit) -> web.Response:
    """Ask what the codes give."""
    return await _form(visit, {}, {})


async def create(visit: StaffVisit) -> web.Response:
    """Make codes, and show them on a page of their own."""
    form = await visit.form()
    errors: dict[str, str] = {}
    terms = await _terms(visit, form, errors)
    if not errors and terms is not None:
        try:
            made = await plan_codes.create(visit.services, visit.actor, terms)
        except UserError as refusal:
            errors["plan"] = visit.why(refusal)
        else:
            key = visit.parts.randomness.token()
            kept = {
                "codes": [code_text.grouped(code) for code in made.codes],
                "plan": made.plan.name,
                "label": made.terms.label,
                "guild": str(visit.guild.id),
                "user": str(visit.actor.user_id),
            }
            await browser.remember(visit.parts, key, MADE, kept, life=SHOWN_FOR)
            return await visit.go(visit.here(f"/codes/made/{key}"))
    typed = {name: form.text(name) for name in ("plan", "days", "count", "uses", "expires", "label")}
    return await _form(visit, typed, errors, status=422)


async def show_made(visit: StaffVisit) -> web.Response:
    """Show new codes to who made them, for some minutes: as a list, and to print."""
    kept = await browser.recall(visit.parts, visit.path("made")[:64], MADE)
    is_theirs = kept is not None and kept["guild"] == str(visit.guild.id) and kept["user"] == str(visit.actor.user_id)
    if kept is None or not is_theirs:
        raise Gone("codes")
    return visit.page("admin/codes_made.html", codes=kept["codes"], plan=kept["plan"], label=kept["label"])


async def ask_void(visit: StaffVisit) -> web.Response:
    """Ask once more before codes are switched off."""
    return visit.page("admin/code_void.html", target=await _target(visit))


async def void(visit: StaffVisit) -> web.Response:
    """Switch off what was shown; what is not the same any more is shown again."""
    await _target(visit)
    count = (await visit.form()).text("count")
    done = await plan_codes.void(
        visit.services, visit.actor, visit.path("target"), int(count) if _is_number(count) else 0
    )
    if isinstance(done, Target):
        return visit.page("admin/code_void.html", status=409, target=done)
    said = visit.words.count(
        "{number} code is switched off. What was redeemed stays.",
        "{number} codes are switched off. What was redeemed stays.",
        done.target.count,
    )
    return await visit.go(visit.here("/codes"), say=said)


async def _target(visit: StaffVisit) -> Target:
    try:
        return await plan_codes.target(visit.services, visit.actor, visit.path("target")[:128])
    except UserError as refusal:
        raise Gone("code") from refusal


# --------------------------------------------------------------------------------------------------------- the form


async def _form(
    visit: StaffVisit, typed: Mapping[str, str], errors: Mapping[str, str], *, status: int = 200
) -> web.Response:
    plans = await _plans(visit)
    return visit.page(
        "admin/code_new.html",
        status=status,
        plans=[(str(plan.id), plan.name) for plan in plans],
        typed={"plan": "", "days": "30", "count": "1", "uses": "1", "expires": "", "label": "", **typed},
        errors=errors,
        most=MOST_AT_ONCE,
        longest_label=LONGEST_LABEL,
    )


async def _terms(visit: StaffVisit, form: Form, errors: dict[str, str]) -> Terms | None:
    words = visit.words
    plan = next((plan for plan in await _plans(visit) if str(plan.id) == form.text("plan")), None)
    if plan is None:
        errors["plan"] = words.say("Choose a plan of this server.")
    limits = {"count": MOST_AT_ONCE, "uses": MOST_USES, "days": LONGEST_DAYS}
    for name, most in limits.items():
        text = form.text(name)
        is_for_ever = name == "days" and not text
        if not is_for_ever and not (_is_number(text) and 1 <= int(text) <= most):
            errors[name] = words.say("Write a number from 1 to {most}.", most=words.number(most))
    expires_at = _expiry(visit, form.text("expires"), errors)
    if errors:
        return None
    return Terms(
        plan_id=PlanId(int(form.text("plan"))),
        days=int(form.text("days")) if form.text("days") else None,
        count=int(form.text("count")),
        max_uses=int(form.text("uses")),
        expires_at=expires_at,
        label=form.text("label"),
    )


def _expiry(visit: StaffVisit, text: str, errors: dict[str, str]) -> datetime | None:
    """Read until which day codes can be redeemed, that day included."""
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=visit.zone) + timedelta(days=1)
    except (ValueError, OverflowError):
        errors["expires"] = visit.words.say("Write a day as year-month-day.")
        return None
    if day <= visit.services.clock.now():
        errors["expires"] = visit.words.say("That day has passed. Choose one in the future.")
    return day


async def _plans(visit: StaffVisit) -> list[Plan]:
    async with visit.store.read() as tx:
        return [plan for plan in await tx.plans.all(visit.guild.id) if not plan.is_archived]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER
