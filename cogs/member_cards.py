"""What `/member` answers about people: the card of one member, and who was found. Pure; acts are in member_acts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cogs.cards import Button, Buttons, Card, Divider, Line, Row, Style, Text, Tone
from cogs.member_history import happening_line
from cogs.member_words import (
    PROOFS,
    grant_title,
    mail_text,
    payer_text,
    plain_label,
    reference,
    source_text,
    state_line,
    totals_text,
)
from cogs.words import code_text, date
from membership.actors import Actor
from membership.addresses import masked
from membership.model import RoleId, Seen
from membership.notes import LONGEST_NOTE
from membership.records import HOUSE
from membership.search import Found, Overview, customer_value

MOST_GRANTS = 10
MOST_FOUND = 6
LONGEST_LABEL = 100


def member_card(seen: Overview, actor: Actor) -> Card:
    """Show everything known about one member."""
    dossier = seen.dossier
    lines: list[Line] = [Text("\n".join(_head(seen, actor)))]
    if dossier.is_empty:
        lines.append(Text("Nothing is known about this person here: no purchase is connected to them."))
    if dossier.grants:
        lines += [Divider(), Text("\n".join(_grants(seen, actor)))]
    roles = _roles(seen)
    if roles:
        lines.append(Text(f"Roles: {roles}"))
    if seen.latest:
        lines += [Divider(), Text("\n".join(happening_line(at, entry) for _, at, entry in seen.latest))]
    if seen.notes:
        lines.append(Text("\n".join(["**Notes**", *(_note(seen, number) for number in range(len(seen.notes)))])))
    lines.append(Buttons(_buttons(seen)))
    name = code_text(seen.member.name) if seen.member is not None and seen.member.name else ""
    return Card(title=f"Membership of {name}" if name else "Membership", lines=tuple(lines), tone=_tone(seen))


def found_card(found: Sequence[Found], typed: str, actor: Actor) -> Card:
    """Show who was found, each with the way to their card."""
    if not found:
        return Card(
            lines=(
                Text(f"Nobody in this server fits “{code_text(typed)}”."),
                Text(
                    "I look for the beginning of an e-mail or a name, a whole order, purchase or customer id, a claim "
                    "code, and a Discord name, mention or id. Only purchases of this server are found."
                ),
            ),
            tone=Tone.QUIET,
        )
    lines: list[Line] = [_found_row(each, actor) for each in found[:MOST_FOUND]]
    if len(found) > MOST_FOUND:
        lines.append(Text(f"-# … and {len(found) - MOST_FOUND} more. Type more of it."))
    return Card(title=f"{len(found)} found" if len(found) > 1 else "Found", lines=tuple(lines))


def found_label(found: Found, actor: Actor) -> str:
    """Name a payer where Discord shows no markup: "Ada · a••@example.com · VIP active until 21 Dec 2026"."""
    customer = found.customer
    parts = [] if customer is None else [customer.name, _plain_mail(customer.email, actor)]
    parts += [plain_label(grant) for grant in found.grants[:1]]
    return " · ".join(part for part in parts if part)[:LONGEST_LABEL] or "a customer without a name"


def found_choice(found: Found, actor: Actor) -> tuple[str, str]:
    """Return the label and the value of a suggestion."""
    value = f"<@{found.user_id}>" if found.customer is None else customer_value(found.customer.id)
    return found_label(found, actor), value


def _plain_mail(email: str, actor: Actor) -> str:
    if actor.can_data or not email:
        return email
    return masked(email)


def _head(seen: Overview, actor: Actor) -> Iterator[str]:
    dossier, member = seen.dossier, seen.member
    yield f"<@{dossier.key.user_id}> · {_presence(seen.is_seen, member)}"
    for customer, account, link in seen.links:
        if account.provider == HOUSE:
            continue
        name = f"{code_text(customer.name)} · " if customer.name else ""
        provider = f"{account.provider.capitalize()} {reference(customer.external_id, actor)}"
        yield f"Customer: {name}{mail_text(customer.email, actor)} · {provider}"
        yield f"Connected {date(link.created_at)} {PROOFS[link.proof]}"
    if seen.paid:
        yield f"Paid in all: {totals_text(seen.paid)}"
    if dossier.exemption is not None:
        end, reason = dossier.exemption.until, dossier.exemption.reason
        until = "until staff say otherwise" if end is None else f"until {date(end)}"
        because = f": {code_text(reason)}" if reason else ""
        yield f"🛑 Left alone {until}{because}"
    if dossier.guild.paused_at is not None:
        yield "⏸️ Role changes are paused in this server"


def _presence(is_seen: bool, member: object) -> str:
    if not is_seen:
        return "Discord cannot be asked at the moment"
    if not isinstance(member, Seen):
        return "not in the server"
    joined = "" if member.joined_at is None else f" since {date(member.joined_at)}"
    return f"in the server{joined}" + (", has not accepted the rules yet" if member.is_pending else "")


def _grants(seen: Overview, actor: Actor) -> Iterator[str]:
    for grant in seen.dossier.grants[:MOST_GRANTS]:
        payer = seen.dossier.payers.get(grant.purchase.customer_id)
        yield f"{grant_title(grant)} {state_line(grant)} — {source_text(grant, payer, actor)}"
    left_out = len(seen.dossier.grants) - MOST_GRANTS
    if left_out > 0:
        yield f"-# … and {left_out} older ones"


def _roles(seen: Overview) -> str:
    """Mark each role that should be there or is ours: as it should be, or not."""
    dossier = seen.dossier
    concerned: Sequence[RoleId] = sorted(dossier.decision.roles | dossier.facts.held_roles)
    if not concerned or not seen.is_seen:
        return " ".join(f"<@&{role}>" for role in concerned)
    has = seen.member.roles if seen.member is not None else frozenset()
    marks = {True: "✅", False: "❌"}
    return " · ".join(f"<@&{role}> {marks[(role in has) == (role in dossier.decision.roles)]}" for role in concerned)


def _note(seen: Overview, number: int) -> str:
    _, at, entry = seen.notes[number]
    detail = entry.detail or {}
    author = code_text(str(detail.get("actor_name") or "staff"))
    return f"📝 {code_text(str(detail.get('text', '')), LONGEST_NOTE)} — {author}, <t:{int(at.timestamp())}:R>"


def _tone(seen: Overview) -> Tone:
    return Tone.QUIET if seen.dossier.is_empty else Tone.NEWS


def _buttons(seen: Overview) -> tuple[Button, ...]:
    dossier = seen.dossier
    user_id = dossier.key.user_id
    has_grant = any(not grant.is_over for grant in dossier.grants)
    left_alone = dossier.exemption is not None
    return (
        Button(label="Why", action="member-why", args=(user_id,), style=Style.MAIN),
        Button(label="Extend", action="member-extend-form", args=(user_id,), is_off=not has_grant),
        Button(label="Grant", action="member-grant-form", args=(user_id,)),
        Button(label="Revoke", action="member-revoke-form", args=(user_id,), is_off=not has_grant),
        Button(label="Resend", action="member-resend", args=(user_id,), is_off=not seen.links),
        Button(label="Move", action="member-move-form", args=(user_id,), is_off=not seen.links),
        Button(label="Look after again", action="member-lift", args=(user_id,))
        if left_alone
        else Button(label="Exempt", action="member-exempt-form", args=(user_id,)),
        Button(label="Timeline", action="member-history", args=(user_id, 0, 0)),
    )


def _found_row(found: Found, actor: Actor) -> Row:
    parts = []
    if found.user_id is not None:
        name = f" ({code_text(found.name)})" if found.name else ""
        parts.append(f"<@{found.user_id}>{name}")
    if found.customer is not None:
        name = f"{code_text(found.customer.name)} · " if found.customer.name else ""
        parts.append(f"{name}{payer_text(found.customer, actor)}")
    parts += [f"{grant_title(grant)} {state_line(grant)}" for grant in found.grants[:3]]
    if not found.grants:
        parts.append("no purchase here")
    if found.user_id is not None:
        button = Button(label="Card", action="member-card", args=(found.user_id,))
    else:
        customer_id = 0 if found.customer is None else found.customer.id
        button = Button(label="Send the mail again", action="member-resend-customer", args=(customer_id,))
        parts.append("-# Not connected yet. `/member link` connects a Discord account.")
    return Row("\n".join(parts), button)
