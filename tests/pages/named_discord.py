"""A Discord in memory whose roles, channels and people have names, so that pages can be judged by what they say."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from membership.model import ChannelId, GuildId, Lane, MemberKey, Observation, RoleId, Seen, UserId
from membership.ports import GuildRole, ServerRights
from tests.usecases.fake_discord import FakeDiscord
from tests.usecases.faults import Fuse


class NamedDiscord(FakeDiscord):
    """`names` are by id, of whatever kind; `spell` is what stands instead of each of them, itself at first."""

    def __init__(self, fuse: Fuse, names: Mapping[int, str]) -> None:
        super().__init__(fuse)
        self.names = names
        self.spell: Callable[[str], str] = lambda name: name

    def name(self, known: int, otherwise: str = "") -> str:
        return self.spell(self.names.get(int(known), otherwise))

    async def observe(
        self, guild_id: GuildId, user_ids: Sequence[UserId], *, lane: Lane
    ) -> Mapping[UserId, Observation]:
        found = await super().observe(guild_id, user_ids, lane=lane)
        return {
            user: replace(seen, name=self.name(user, f"user{user}")) if isinstance(seen, Seen) else seen
            for user, seen in found.items()
        }

    def roles(self, guild_id: GuildId) -> Mapping[RoleId, GuildRole]:
        return {
            role_id: replace(role, name=self.name(role_id, role.name))
            for role_id, role in super().roles(guild_id).items()
        }

    def text_channels(self, guild_id: GuildId) -> Mapping[ChannelId, str]:
        return {channel: self.spell(name) for channel, name in super().text_channels(guild_id).items()}

    def channels_opened(self, guild_id: GuildId, roles: Collection[RoleId], limit: int) -> Sequence[str]:
        return [self.spell(name) for name in super().channels_opened(guild_id, roles, limit)]

    def channel_name(self, channel_id: ChannelId) -> str:
        return self.name(channel_id, "claim")

    def guild_name(self, guild_id: GuildId) -> str:
        return self.spell(super().guild_name(guild_id))

    async def handle(self, user_id: UserId) -> str:
        return "@" + self.name(user_id, f"user{user_id}")

    async def rights(self, key: MemberKey) -> ServerRights | None:
        found = await super().rights(key)
        return None if found is None else replace(found, name=self.name(key.user_id, f"user{key.user_id}"))

    async def members_named(self, guild_id: GuildId, beginning: str, limit: int) -> Mapping[UserId, Seen]:
        found = await super().members_named(guild_id, "user", limit)
        return {user: replace(seen, name=self.name(user, seen.name)) for user, seen in found.items()}


def picture() -> bytes:
    """Return a green square as a PNG."""
    rows = zlib.compress(b"".join(b"\x00" + b"\x0b\x8d\x4e" * 16 for _ in range(16)))
    parts = ((b"IHDR", struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
