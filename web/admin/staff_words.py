"""Reasons and events as staff read them on pages, in their language. What members read is in outcomes.py."""

from __future__ import annotations

from collections.abc import Mapping

from locales.catalogue import Words, translatable
from membership.errors import Reason
from membership.events import Group


def reason_text(words: Words, reason: object) -> str:
    """Say a reason of the catalogue; anything else is shown as it came, "" for none."""
    if reason is None or str(reason) not in set(Reason):
        return "" if reason is None else str(reason)
    return words.say(_REASONS[Reason(str(reason))])


def event_title(words: Words, event: str) -> str:
    """Say what kind of entry of the record it is; one that has no title keeps its name."""
    return words.say(_EVENTS[event]) if event in _EVENTS else event


def group_title(words: Words, group: Group) -> str:
    """Say what a group of events is about."""
    return words.say(_GROUPS[group])


_GROUPS: Mapping[Group, str] = {
    Group.PAYMENT: translatable("Payments"),
    Group.MEMBERSHIP: translatable("Memberships"),
    Group.ACCESS: translatable("Roles and members"),
    Group.LINK: translatable("Connections"),
    Group.STAFF: translatable("Staff"),
    Group.SAFETY: translatable("Safety"),
    Group.HEALTH: translatable("Health"),
}

_EVENTS: Mapping[str, str] = {
    "payment.succeeded": translatable("Payment succeeded"),
    "payment.failed": translatable("Payment failed"),
    "payment.refunded": translatable("Payment refunded"),
    "payment.disputed": translatable("Payment disputed"),
    "payment.dispute_closed": translatable("Dispute closed"),
    "grant.created": translatable("Subscription created"),
    "grant.delivered": translatable("Role delivered"),
    "grant.failed": translatable("Role not delivered"),
    "grant.held": translatable("Left as it is until somebody looks"),
    "grant.trial_started": translatable("Trial started"),
    "grant.past_due": translatable("Payment overdue"),
    "grant.recovered": translatable("Payment recovered"),
    "grant.ending": translatable("Subscription cancelled, still running"),
    "grant.revoked": translatable("Subscription cancelled or ended"),
    "grant.changed": translatable("Plan changed"),
    "grant.paused": translatable("Subscription paused"),
    "grant.resumed": translatable("Subscription resumed"),
    "role.added": translatable("Role given"),
    "role.removed": translatable("Role taken"),
    "member.joined_with_grant": translatable("Paying member joined"),
    "member.left_with_grant": translatable("Paying member left"),
    "member.kicked": translatable("Member kicked"),
    "role.drift_fixed": translatable("Role put right"),
    "role.manual_change": translatable("Role changed by hand"),
    "link.created": translatable("Purchase connected"),
    "link.moved": translatable("Purchase moved"),
    "link.removed": translatable("Purchase disconnected"),
    "claim.failed_often": translatable("Many wrong codes"),
    "staff.action": translatable("Something done by staff"),
    "settings.changed": translatable("Settings changed"),
    "staff.undo": translatable("Change taken back"),
    "brake.held": translatable("Removals held"),
    "brake.released": translatable("Held removals released"),
    "brake.discarded": translatable("Held removals dropped"),
    "pause.on": translatable("Doorlist paused"),
    "pause.off": translatable("Doorlist goes on"),
    "health.degraded": translatable("Doorlist has trouble"),
    "health.recovered": translatable("Doorlist is well again"),
    "webhook.failing": translatable("Webhooks do not arrive"),
    "key.expiring": translatable("A key runs out"),
    "bot.lost_permission": translatable("A permission is missing"),
    "role.deleted": translatable("A sold role was deleted"),
    "role.unusable": translatable("A sold role cannot be given"),
    "backup.late": translatable("Backup is late"),
    "update.available": translatable("Update available"),
    # What is in the record alone, and never posted.
    "member.resent": translatable("Invitation sent again"),
    "member.note": translatable("Note"),
    "members.exported": translatable("List of members downloaded"),
    "webhook.repeated": translatable("Event processed again"),
    "staff.retry": translatable("Tried again for everybody"),
    "import.done": translatable("Members imported"),
    "signed_in": translatable("Signed in"),
    "customer.cancelled": translatable("Member pressed Cancel"),
    "customer.resumed": translatable("Member took the cancellation back"),
    "customer.billing": translatable("Member went to billing"),
    "customer.preferences": translatable("Member changed their preferences"),
    "reminders.chosen": translatable("Reminders switched on or off"),
    "code.redeemed": translatable("Code redeemed"),
    "link.mailed": translatable("Link to connect mailed"),
    "message.dropped": translatable("Message not sent"),
    "payment.notice": translatable("Notice of the payment provider"),
    "privacy.exported": translatable("Personal data downloaded"),
    "privacy.erased": translatable("Personal data erased"),
    "roles.stripped": translatable("All roles taken"),
    "operator.added": translatable("Operator added"),
    "bot.removed": translatable("Bot removed from the server"),
    "server.requested": translatable("Server asks to be let in"),
    "server.approved": translatable("Server let in"),
    "server.refused": translatable("Server refused"),
    "server.connected": translatable("Server connected"),
    "server.removed": translatable("Server disconnected"),
    "server.plans_carried": translatable("Plans carried over"),
}

_REASONS: Mapping[Reason, str] = {
    Reason.PAID: translatable("paid"),
    Reason.TRIAL: translatable("in trial"),
    Reason.COMP: translatable("given by staff"),
    Reason.PAYMENT_FAILED: translatable("the payment failed"),
    Reason.PAUSED: translatable("paused"),
    Reason.WAITING_FOR_PAYMENT: translatable("the payment has not arrived yet"),
    Reason.NOT_LINKED: translatable("paid, but no Discord account is connected yet"),
    Reason.NOT_IN_SERVER: translatable("paid and connected, but not in the server"),
    Reason.RULES_NOT_ACCEPTED: translatable("has not accepted the server's rules"),
    Reason.REVOKED: translatable("ended by staff"),
    Reason.CANCELLED: translatable("cancelled"),
    Reason.EXPIRED: translatable("expired"),
    Reason.UNPAID: translatable("not paid"),
    Reason.REFUNDED: translatable("refunded"),
    Reason.DISPUTED: translatable("the payment is disputed"),
    Reason.DISPUTE_LOST: translatable("the dispute was lost"),
    Reason.PLAN_CHANGED: translatable("the plan changed"),
    Reason.PLAN_UNMAPPED: translatable("the plan no longer gives this"),
    Reason.MOVED: translatable("moved to another account"),
    Reason.DISCONNECTED: translatable("disconnected by the member"),
    Reason.STATUS_UNKNOWN: translatable("the payment provider sent a status that Doorlist does not know"),
    Reason.BRAKE: translatable("held until a person decides"),
    Reason.HAND_REMOVED: translatable("somebody keeps removing the role by hand"),
    Reason.GUILD_UNAVAILABLE: translatable("Discord shows the server as unavailable"),
    Reason.BOT_NOT_IN_SERVER: translatable("the bot is no longer in the server"),
    Reason.ROLE_ABOVE_BOT: translatable("the role is above the bot's own role"),
    Reason.ROLE_DELETED: translatable("the role was deleted"),
    Reason.MISSING_PERMISSION: translatable("the bot lacks the permission Manage Roles"),
    Reason.MISSING_ACCESS: translatable("the bot cannot see this channel or server"),
    Reason.BANNED: translatable("the member is banned here"),
    Reason.SERVER_LIMIT: translatable("the member is in as many servers as Discord allows"),
    Reason.JOIN_LIMITED: translatable("Discord limits this member from joining servers"),
    Reason.TOKEN_EXPIRED: translatable("the member's Discord permission ran out, they have to connect again"),
    Reason.SCOPE_MISSING: translatable("the member did not allow being added to servers"),
    Reason.ACCOUNT_GONE: translatable("that Discord account no longer exists"),
    Reason.TWO_FACTOR_REQUIRED: translatable("the server demands two-factor sign-in and the bot's owner has none"),
    Reason.DMS_CLOSED: translatable("direct messages are closed"),
    Reason.CREDENTIALS_REFUSED: translatable("the credentials were refused"),
    Reason.MAIL_REFUSED: translatable("the mail was refused"),
}
