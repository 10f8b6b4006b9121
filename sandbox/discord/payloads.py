"""From records to the JSON that Discord sends. The required keys follow Discord's OpenAPI description."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sandbox.discord.permissions import BOT_DEFAULT
from sandbox.discord.world import (
    VOICE,
    AuditEntry,
    Channel,
    Guild,
    Invite,
    Json,
    Member,
    Message,
    Role,
    Team,
    User,
    World,
)

MEMBERS_INTENT, CONTENT_INTENT = 1 << 15, 1 << 19
"""The application flags of the privileged intents, as small bots have them."""


def user(of: User) -> Json:
    """Return a user as others see it."""
    return {
        "id": str(of.id),
        "username": of.username,
        "global_name": of.global_name,
        "discriminator": "0000" if of.is_bot else "0",
        "avatar": None,
        "public_flags": 0,
        "flags": 0,
        "primary_guild": None,
        "bot": of.is_bot,
    }


def own_user(of: User, *, has_email: bool, has_two_factor: bool = True) -> Json:
    """Return a user as its own token sees it, with the e-mail when the scope allows."""
    body = user(of) | {"mfa_enabled": has_two_factor, "locale": of.locale, "verified": of.is_email_verified}
    if has_email:
        body["email"] = of.email
    return body


def role(of: Role) -> Json:
    """Return a role."""
    body = {
        "id": str(of.id),
        "name": of.name,
        "permissions": str(int(of.permissions)),
        "position": of.position,
        "color": of.color,
        "colors": {"primary_color": of.color, "secondary_color": None, "tertiary_color": None},
        "hoist": of.is_hoisted,
        "managed": of.is_managed,
        "mentionable": of.is_mentionable,
        "icon": None,
        "unicode_emoji": None,
        "flags": of.flags,
    }
    return body | {"tags": of.tags} if of.tags else body


def member(of: Member) -> Json:
    """Return a member with its user."""
    return member_without_user(of) | {"user": user(of.user)}


def member_without_user(of: Member) -> Json:
    """Return a member as it rides on a message."""
    return {
        "roles": [str(role_id) for role_id in of.roles],
        "nick": of.nick,
        "avatar": None,
        "banner": None,
        "joined_at": moment(of.joined_at),
        "premium_since": None,
        "communication_disabled_until": of.communication_disabled_until,
        "pending": of.is_pending,
        "flags": of.flags,
        "mute": False,
        "deaf": False,
    }


def channel(of: Channel) -> Json:
    """Return a guild channel or a direct-message channel."""
    last = next(of.newest_first(), None)
    body: Json = {
        "id": str(of.id),
        "type": of.kind,
        "flags": 0,
        "last_message_id": str(last.id) if last else None,
    }
    if of.recipient:
        return body | {"recipients": [user(of.recipient)]}
    if of.kind == VOICE:
        body |= {"bitrate": 64_000, "user_limit": 0, "rtc_region": None}
    return body | {
        "guild_id": str(of.guild_id),
        "name": of.name,
        "position": of.position,
        "topic": of.topic,
        "nsfw": False,
        "parent_id": str(of.parent_id) if of.parent_id else None,
        "rate_limit_per_user": 0,
        "permission_overwrites": [
            {"id": str(target), "type": entry.kind, "allow": str(int(entry.allow)), "deny": str(int(entry.deny))}
            for target, entry in of.overwrites.items()
        ],
    }


def guild(of: Guild) -> Json:
    """Return a guild as REST answers it."""
    empty = dict.fromkeys(_GUILD_NULLS)
    return empty | {
        "id": str(of.id),
        "name": of.name,
        "icon": of.icon_hash,
        "owner_id": str(of.owner_id),
        "roles": [role(each) for each in of.roles.values()],
        "features": [],
        "emojis": [],
        "stickers": [],
        "region": "us-east",
        "afk_timeout": 300,
        "system_channel_flags": 0,
        "widget_enabled": False,
        "verification_level": 1,
        "default_message_notifications": 1,
        "mfa_level": of.mfa_level,
        "explicit_content_filter": 0,
        "max_members": 500_000,
        "max_stage_video_channel_users": 50,
        "max_video_channel_users": 25,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "preferred_locale": of.preferred_locale,
        "premium_progress_bar_enabled": False,
        "nsfw": False,
        "nsfw_level": 0,
    }


def guild_create(of: Guild, bot: Member) -> Json:
    """Return a GUILD_CREATE body. Without the presence intent Discord lists only the bot among the members."""
    return guild(of) | {
        "joined_at": moment(bot.joined_at),
        "large": len(of.members) > 250,
        "member_count": len(of.members),
        "members": [member(bot)],
        "channels": [channel(each) for each in of.channels.values()],
        "threads": [],
        "presences": [],
        "voice_states": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def message(of: Message, *, is_blanked: bool = False) -> Json:
    """Return a message; blanked as Discord does for applications without the message-content intent."""
    body: Json = {
        "id": str(of.id),
        "channel_id": str(of.channel_id),
        "type": of.kind,
        "content": "" if is_blanked else of.content,
        "author": user(of.author),
        "mentions": [user(each) for each in of.mentions],
        "mention_roles": [],
        "mention_everyone": False,
        "attachments": [] if is_blanked else of.attachments,
        "embeds": [] if is_blanked else of.embeds,
        "components": [] if is_blanked else of.components,
        "timestamp": moment(of.timestamp),
        "edited_timestamp": moment(of.edited_at) if of.edited_at else None,
        "flags": of.flags,
        "pinned": False,
        "tts": False,
    }
    optional: Json = {
        "nonce": of.nonce,
        "webhook_id": str(of.webhook_id) if of.webhook_id else None,
        "interaction_metadata": of.interaction,
        "message_reference": _reference(of) if of.replies_to else None,
    }
    return body | {key: value for key, value in optional.items() if value is not None}


def invite(of: Invite, world: World) -> Json:
    """Return an invite with its guild, its channel and the roles it gives."""
    home = world.guilds[of.guild_id]
    expires_at = of.created_at + timedelta(seconds=of.max_age_seconds) if of.max_age_seconds else None
    return {
        "type": 0,
        "code": of.code,
        "inviter": user(of.inviter),
        "created_at": moment(of.created_at),
        "expires_at": moment(expires_at) if expires_at else None,
        "max_age": of.max_age_seconds,
        "max_uses": of.max_uses,
        "uses": of.uses,
        "temporary": of.is_temporary,
        "guild_id": str(home.id),
        "guild": _invite_guild(home),
        "channel": {"id": str(of.channel_id), "type": 0, "name": world.channels[of.channel_id].name},
        "roles": [_invite_role(home.roles[role_id]) for role_id in of.roles if role_id in home.roles],
    }


def audit_entry(of: AuditEntry) -> Json:
    """Return an audit-log entry."""
    body: Json = {
        "id": str(of.id),
        "action_type": of.action,
        "user_id": str(of.user_id),
        "target_id": str(of.target_id) if of.target_id else None,
        "changes": of.changes,
    }
    return body | {"reason": of.reason} if of.reason else body


def application(world: World, *, bot_public: bool = True) -> Json:
    """Return the application as its own bot sees it."""
    portal = world.portal
    return {
        "id": str(portal.application_id),
        "name": portal.name,
        "icon": None,
        "description": "",
        "type": None,
        "bot": user(portal.bot),
        "owner": user(portal.owner) if portal.team is None else _team_user(portal.team),
        "team": _team(portal.team) if portal.team else None,
        "bot_public": bot_public,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": application_flags(world),
        "flags_new": str(application_flags(world)),
        "redirect_uris": sorted(portal.redirect_uris),
        "interactions_endpoint_url": portal.interactions_url,
        "role_connections_verification_url": None,
        "approximate_guild_count": len(world.guilds_of_bot()),
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
        "eligible_oauth2_scopes": [],
        "install_params": {"scopes": ["bot", "applications.commands"], "permissions": str(int(BOT_DEFAULT))},
    }


def application_flags(world: World) -> int:
    """Return the flags that tell which privileged intents the portal allows (the "limited" ones, small bots)."""
    members = MEMBERS_INTENT if world.portal.has_members_intent else 0
    content = CONTENT_INTENT if world.portal.has_message_content_intent else 0
    return members | content


def moment(of: datetime) -> str:
    """Return a time as Discord writes it."""
    return of.isoformat()


def _team(of: Team) -> Json:
    members = [
        {"membership_state": 2, "team_id": str(of.id), "user": user(each), "role": "admin", "permissions": ["*"]}
        for each in [of.owner, *of.members]
    ]
    return {"id": str(of.id), "icon": None, "name": of.name, "owner_user_id": str(of.owner.id), "members": members}


def _team_user(of: Team) -> Json:
    """Return the made-up user that Discord shows as the owner of a team's application."""
    return user(User(id=of.id, username=f"team{of.id}"))


def _reference(of: Message) -> Json:
    body: dict[str, Any] = {"type": 0, "channel_id": str(of.channel_id), "message_id": str(of.replies_to)}
    return body | {"guild_id": str(of.guild_id)} if of.guild_id else body


def _invite_guild(of: Guild) -> Json:
    return dict.fromkeys(("splash", "banner", "description", "vanity_url_code")) | {
        "id": str(of.id),
        "name": of.name,
        "icon": of.icon_hash,
        "features": [],
        "verification_level": 1,
        "nsfw_level": 0,
        "nsfw": False,
        "premium_subscription_count": 0,
    }


def _invite_role(of: Role) -> Json:
    whole = role(of)
    return {key: whole[key] for key in ("id", "name", "position", "color", "colors", "icon", "unicode_emoji")}


_GUILD_NULLS = (
    "description",
    "home_header",
    "splash",
    "discovery_splash",
    "banner",
    "application_id",
    "afk_channel_id",
    "system_channel_id",
    "widget_channel_id",
    "max_presences",
    "vanity_url_code",
    "rules_channel_id",
    "safety_alerts_channel_id",
    "public_updates_channel_id",
    "incidents_data",
)
