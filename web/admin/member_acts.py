"""What staff do about one member: each act a small form or a button; what it came to is said on the member's card."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from aiohttp import web

from membership import comps, exemptions, notes, refreshing, resending, search, staff_links
from membership import dossier as dossiers
from membership.comps import RevokeWhen, Terms
from membership.dossier import Dossier
from membership.errors import Gone, UserError
from membership.model import CustomerId, GrantId, MemberKey, PlanId, PurchaseKind, UserId
from membership.shown import ShownGrant
from web.admin import act_forms
from web.admin.act_forms import ActForm, Field, Mistake, days_of, known_names, reason_field, user_of
from web.admin.grant_words import end_words, look_of, readable, sending_words
from web.admin.member import member_of, require_here
from web.numbers import number_in
from web.site import Site
from web.visits import Form, StaffVisit

PATIENCE = timedelta(seconds=4)

Press = Callable[[StaffVisit], Awaitable[web.Response]]


def install(site: Site) -> None:
    """Register the forms and the buttons."""
    base = "/admin/{guild}/members/{user}"
    for name, form, act in (
        ("grant", grant_form, give),
        ("extend/{grant}", extend_form, extend),
        ("revoke/{grant}", revoke_form, revoke),
        ("move", move_form, move),
        ("connect", connect_form, connect),
        ("disconnect", disconnect_form, disconnect),
        ("leave-alone", leave_alone_form, leave_alone),
    ):
        _install_act(site, f"{base}/{name}", form, act)
    for name, press in (("refresh", refresh), ("resend", resend), ("look-after", look_after), ("note", note)):
        site.staff.post(f"{base}/{name}", _of_somebody_here(press))


def _of_somebody_here(press: Press) -> Press:
    async def checked(visit: StaffVisit) -> web.Response:
        await require_here(visit)
        return await press(visit)

    return checked


def _install_act(site: Site, path: str, form_of: act_forms.FormOf, act: act_forms.Act) -> None:
    async def show(visit: StaffVisit) -> web.Response:
        return act_forms.show(visit, await form_of(visit))

    async def send(visit: StaffVisit) -> web.Response:
        names = await known_names(visit, member_of(visit))
        return await act_forms.send(visit, await form_of(visit), lambda form: act(visit, form), names=names)

    site.staff.get(path, _of_somebody_here(show))
    site.staff.post(path, _of_somebody_here(send))


# ----------------------------------------------------------------------------------------------------------- buttons


async def refresh(visit: StaffVisit) -> web.Response:
    """Read what they bought again, put their roles right, and say what changed."""
    user_id = member_of(visit)
    done = await refreshing.refresh(visit.services, visit.actor, user_id)
    words, names = visit.words, await known_names(visit, user_id)
    said = [words.count("{number} purchase read again.", "{number} purchases read again.", done.read)]
    said += [words.say("{role} given.", role=names.get(int(role), str(role))) for role in sorted(done.gained)]
    said += [words.say("{role} taken.", role=names.get(int(role), str(role))) for role in sorted(done.lost)]
    if done.unread:
        said.append(words.say("Something could not be read at the payment provider. Nothing ends because of it."))
    if done.job is not None:
        said.append(words.say("It is not finished yet."))
    elif not (done.gained or done.lost or done.unread):
        said.append(words.say("Everything is as it should be."))
    tone = "warn" if done.unread or done.job is not None else "ok"
    return await visit.go(_card(visit), say=" ".join(said), tone=tone)


async def resend(visit: StaffVisit) -> web.Response:
    """Mail the delivery message again to whoever pays."""
    try:
        sent = await resending.resend_all(visit.services, visit.actor, member_of(visit))
    except UserError as refusal:
        return await _refused(visit, refusal)
    said = [sending_words(visit.words, each.mail) for each in sent if each.mail is not None]
    return await visit.go(_card(visit), say=" ".join(dict.fromkeys(said)), tone="info")


async def look_after(visit: StaffVisit) -> web.Response:
    """End an exemption."""
    try:
        await exemptions.lift(visit.services, visit.actor, member_of(visit))
    except UserError as refusal:
        return await _refused(visit, refusal)
    said = visit.words.say("They are looked after again: what they paid for decides about their roles.")
    return await visit.go(_card(visit), say=said)


async def note(visit: StaffVisit) -> web.Response:
    """Write something down about them."""
    try:
        await notes.note(visit.services, visit.actor, member_of(visit), (await visit.form()).text("text"))
    except UserError as refusal:
        return await _refused(visit, refusal)
    return await visit.go(_card(visit), say=visit.words.say("Written down."))


async def _refused(visit: StaffVisit, refusal: UserError) -> web.Response:
    names = await known_names(visit, member_of(visit))
    return await visit.go(_card(visit), say=readable(visit.why(refusal), names), tone="warn")


# ---------------------------------------------------------------------------------------------------- give and take


async def grant_form(visit: StaffVisit) -> ActForm:
    """Ask which plan, and for how long."""
    words = visit.words
    async with visit.store.read() as tx:
        plans = [plan for plan in await tx.plans.all(visit.guild.id) if not plan.is_archived]
    options = [(str(plan.id), plan.name) for plan in plans]
    most = visit.services.policy.staff_max_grant_days
    hint = (
        words.say("Empty: for ever")
        if visit.actor.can_manage
        else words.say("{days} at most; somebody with Manage Server can give more", days=most)
    )
    return ActForm(
        title=words.say("Give a plan"),
        lines=(await _subject(visit), words.say("It costs nothing, and they get the roles within seconds.")),
        fields=(
            Field(kind="select", name="plan", label=words.say("Plan"), options=options),
            Field(kind="number", name="days", label=words.say("Days"), hint=hint, value="30"),
            reason_field(visit),
        ),
        button=words.say("Give it"),
        back=_card(visit),
    )


async def give(visit: StaffVisit, form: Form) -> str:
    """Give a plan."""
    days, plan = days_of(visit, form, may_be_empty=True), number_in(form.text("plan"))
    if plan is None:
        raise Mistake("plan", visit.words.say("Choose a plan."))
    until = None if days is None else visit.services.clock.now() + timedelta(days=days)
    terms = Terms(plan_id=PlanId(plan), until=until, reason=form.text("reason"))
    started = visit.services.signals.tick()
    done = await comps.grant(visit.services, visit.actor, member_of(visit), terms)
    await _wait(visit, done.keys, started)
    if done.until is None:
        return visit.words.say("{plan} is given for ever.", plan=done.plan.name)
    day = visit.words.day(done.until, visit.zone)
    return visit.words.say("{plan} is given until {day}.", plan=done.plan.name, day=day)


async def extend_form(visit: StaffVisit) -> ActForm:
    """Ask for how many free days."""
    words, grant = visit.words, await _grant(visit)
    return ActForm(
        title=words.say("Extend {plan}", plan=grant.plan.name),
        lines=(
            await _subject(visit),
            words.say("Free days follow what was paid. Nothing changes at the payment provider."),
        ),
        fields=(
            Field(kind="number", name="days", label=words.say("Free days"), value="30"),
            reason_field(visit),
        ),
        button=words.say("Extend"),
        back=_card(visit),
    )


async def extend(visit: StaffVisit, form: Form) -> str:
    """Add free days."""
    grant, days = await _grant(visit), days_of(visit, form) or 0
    started = visit.services.signals.tick()
    done = await comps.extend(visit.services, visit.actor, grant.grant.id, days, reason=form.text("reason"))
    await _wait(visit, done.keys, started)
    day = "" if done.until is None else visit.words.day(done.until, visit.zone)
    return visit.words.say("{plan} lasts until {day}.", plan=done.plan.name, day=day)


async def revoke_form(visit: StaffVisit) -> ActForm:
    """Say what a revocation takes, and ask when."""
    words, grant = visit.words, await _grant(visit)
    lines = [await _subject(visit), look_of(words, grant, visit.zone).text, end_words(words, grant.plan)]
    is_paying = grant.is_paid and grant.purchase.period_ends_at is not None and grant.purchase.ends_at is None
    if is_paying and grant.purchase.kind is PurchaseKind.SUBSCRIPTION:
        lines.append(
            words.say(
                "The customer goes on paying: this cancels nothing at the payment provider. Cancel the subscription "
                "there, or ask them to."
            )
        )
    options = [(RevokeWhen.NOW.value, words.say("Now"))]
    if grant.at is not None:
        day = words.day(grant.at, visit.zone)
        options.insert(0, (RevokeWhen.PERIOD_END.value, words.say("When it runs out, on {day}", day=day)))
    when = Field(kind="radios", name="when", label=words.say("When"), options=options, value=options[0][0])
    return ActForm(
        title=words.say("Take {plan} back?", plan=grant.plan.name),
        lines=lines,
        fields=(when, reason_field(visit)),
        button=words.say("Take {plan} back", plan=grant.plan.name),
        back=_card(visit),
        is_sharp=True,
    )


async def revoke(visit: StaffVisit, form: Form) -> str:
    """End a membership, now or when it runs out."""
    grant, when = await _grant(visit), form.text("when")
    if when not in set(RevokeWhen):
        raise Mistake("when", visit.words.say("Choose when it ends."))
    started, reason = visit.services.signals.tick(), form.text("reason")
    done = await comps.revoke(visit.services, visit.actor, grant.grant.id, when=RevokeWhen(when), reason=reason)
    await _wait(visit, done.keys, started)
    if when == RevokeWhen.NOW or done.until is None:
        return visit.words.say("{plan} is taken back.", plan=done.plan.name)
    day = visit.words.day(done.until, visit.zone)
    return visit.words.say("{plan} ends {day}.", plan=done.plan.name, day=day)


# ------------------------------------------------------------------------------------------------------- connections


async def move_form(visit: StaffVisit) -> ActForm:
    """Ask to which account everything goes."""
    words = visit.words
    return ActForm(
        title=words.say("Move to another account"),
        lines=(
            await _subject(visit),
            words.say("All they bought here goes to the other account. This one loses the roles in the same pass."),
        ),
        fields=(
            Field(kind="text", name="user", label=words.say("Discord user ID of the other account")),
            reason_field(visit),
        ),
        button=words.say("Move everything"),
        back=_card(visit),
        is_sharp=True,
    )


async def move(visit: StaffVisit, form: Form) -> str:
    """Move everything to another account."""
    to_user, started = UserId(user_of(visit, form)), visit.services.signals.tick()
    moved = await staff_links.move(visit.services, visit.actor, member_of(visit), to_user, form.text("reason"))
    await _wait(visit, [key for each in moved for key in each.keys], started)
    return visit.words.count(
        "{number} customer moved to <@{user}>.", "{number} customers moved to <@{user}>.", len(moved), user=to_user
    )


async def connect_form(visit: StaffVisit) -> ActForm:
    """Ask which customer belongs to this account."""
    words = visit.words
    return ActForm(
        title=words.say("Connect a customer"),
        lines=(
            await _subject(visit),
            words.say("Do this only when you know who they are: the roles go to this account, and away from another."),
        ),
        fields=(
            Field(
                kind="text",
                name="customer",
                label=words.say("Customer"),
                hint=words.say("Their whole e-mail, or the id of the customer or of a purchase"),
            ),
            reason_field(visit),
        ),
        button=words.say("Connect"),
        back=_card(visit),
    )


async def connect(visit: StaffVisit, form: Form) -> str:
    """Connect a customer to this account."""
    customer_id: CustomerId = await search.customer(visit.services, visit.actor, form.text("customer"))
    started, user_id = visit.services.signals.tick(), member_of(visit)
    tied = await staff_links.link(visit.services, visit.actor, user_id, customer_id, form.text("reason"))
    await _wait(visit, tied.keys, started)
    return visit.words.say("Connected. The roles follow within seconds.")


async def disconnect_form(visit: StaffVisit) -> ActForm:
    """Say what disconnecting takes."""
    words = visit.words
    return ActForm(
        title=words.say("Disconnect from all purchases?"),
        lines=(
            await _subject(visit),
            words.say("They lose the roles that come with what was bought. It waits for another account."),
        ),
        fields=(reason_field(visit),),
        button=words.say("Disconnect"),
        back=_card(visit),
        is_sharp=True,
    )


async def disconnect(visit: StaffVisit, form: Form) -> str:
    """Disconnect a member from their purchases."""
    started = visit.services.signals.tick()
    untied = await staff_links.unlink(visit.services, visit.actor, member_of(visit), form.text("reason"))
    await _wait(visit, [key for each in untied for key in each.keys], started)
    return visit.words.say("Disconnected. What they paid for waits for another account.")


async def leave_alone_form(visit: StaffVisit) -> ActForm:
    """Ask for how long nothing is given and nothing taken."""
    words = visit.words
    return ActForm(
        title=words.say("Leave this member alone"),
        lines=(
            await _subject(visit),
            words.say("Their roles are never touched meanwhile: nothing is given and nothing taken."),
        ),
        fields=(
            Field(
                kind="number",
                name="days",
                label=words.say("Days"),
                hint=words.say("Empty: until somebody ends it"),
                value="7",
            ),
            reason_field(visit),
        ),
        button=words.say("Leave alone"),
        back=_card(visit),
    )


async def leave_alone(visit: StaffVisit, form: Form) -> str:
    """Exempt a member."""
    days = days_of(visit, form, may_be_empty=True)
    until = None if days is None else visit.services.clock.now() + timedelta(days=days)
    await exemptions.exempt(visit.services, visit.actor, member_of(visit), until=until, reason=form.text("reason"))
    return visit.words.say("Their roles are left alone.")


# ------------------------------------------------------------------------------------------------------------ shared


def _card(visit: StaffVisit) -> str:
    return visit.here(f"/members/{member_of(visit)}")


async def _subject(visit: StaffVisit) -> str:
    """Name the member whom an act is about."""
    user_id = member_of(visit)
    names = await known_names(visit, user_id)
    name = names.get(int(user_id), "")
    return visit.words.say("{name} (Discord ID {number})", name=name or visit.words.say("Member"), number=user_id)


async def _dossier(visit: StaffVisit) -> Dossier:
    async with visit.store.read() as tx:
        return await dossiers.read(tx, MemberKey(visit.guild.id, member_of(visit)), visit.services.clock.now())


async def _grant(visit: StaffVisit) -> ShownGrant:
    """Return the membership that the address names, of this very member. Raises Gone."""
    found = (await _dossier(visit)).grant(GrantId(visit.number("grant")))
    if found is None:
        raise Gone("grant")
    return found


async def _wait(visit: StaffVisit, keys: Sequence[MemberKey], started: int) -> None:
    """Give the roles a moment to follow, so that the card shows what came of it."""
    await visit.services.signals.wait([str(key) for key in keys], since=started, patience=PATIENCE)
