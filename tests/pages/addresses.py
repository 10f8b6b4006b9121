"""Real addresses for every route: what stands for {plan}, {order}, {token}... is read from a furnished world's tables.

A route with a part that nobody can fill fails loudly: say in `_FINDS` what its ids are.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from string import Formatter
from urllib.parse import quote

from membership.model import GuildId, UserId
from membership.plan_codes import label_name
from tests.pages.rich import Secrets
from tests.usecases.world import CHARLIE

# What stands for each part of an address: the ids inside one server; `?` is the server.
_FINDS: Mapping[str, str] = {
    "guild": "SELECT id FROM guilds WHERE id = ?",
    "plan": "SELECT id FROM plans WHERE guild_id = ?",
    "preview": "SELECT id FROM previews WHERE guild_id = ? AND kind = 'plan'",
    "batch": "SELECT id FROM removal_batches WHERE guild_id = ?",
    "change": "SELECT id FROM changes WHERE guild_id = ?",
    "user": "SELECT user_id FROM members WHERE guild_id = ?",
    "member": "SELECT user_id FROM members WHERE guild_id = ?",
    "order": "SELECT DISTINCT purchase_id FROM grants WHERE guild_id = ?",
    "grant": "SELECT id FROM grants WHERE guild_id = ?",
    "run": "SELECT id FROM runs WHERE guild_id = ?",
    "entry": "SELECT id FROM audit_entries WHERE guild_id = ?",
    "role": "SELECT DISTINCT role_id FROM plan_roles JOIN plans ON plans.id = plan_id WHERE guild_id = ?",
    "label": "SELECT DISTINCT label_name(label) FROM plan_codes WHERE guild_id = ?",
    "target": "SELECT DISTINCT label_name(label) FROM plan_codes WHERE guild_id = ?",
}
# Where a part stands for something else than usual.
_FINDS_ON: Mapping[tuple[str, str], str] = {
    ("/admin/{guild}/move/", "preview"): "SELECT id FROM previews WHERE guild_id = ? AND kind = 'move'",
    ("/admin/{guild}/webhooks/", "event"): "SELECT id FROM inbox_events WHERE state <> 'new' AND id < 9 AND ? > 0",
}
# Parts that only fit together.
_PAIRS: Mapping[tuple[str, str], str] = {
    ("user", "grant"): "SELECT links.user_id, grants.id FROM grants JOIN purchases ON purchases.id = grants.purchase_id"
    " JOIN links ON links.customer_id = purchases.customer_id"
    " WHERE grants.guild_id = ? AND grants.state <> 'revoked' AND links.ended_at IS NULL",
    ("order", "grant"): "SELECT purchase_id, id FROM grants WHERE guild_id = ? AND state <> 'revoked'",
}
# What belongs to one customer, by the Discord account that it is connected to.
_THEIRS: Mapping[str, str] = {
    "grant": "SELECT grants.id FROM grants JOIN purchases ON purchases.id = grants.purchase_id"
    " JOIN links ON links.customer_id = purchases.customer_id WHERE links.user_id = ?",
    "customer": "SELECT customer_id FROM links WHERE user_id = ?",
    "user": "SELECT DISTINCT user_id FROM links WHERE user_id = ?",
    "sign_in": "SELECT id FROM sign_ins WHERE kind = 'customer' AND user_id = ?",
}
_WORDS: Mapping[str, str] = {
    "slug": "vip",
    "provider": "stripe",
    "event": "grant.failed",
    "name": "revenue",
    "template": "connect",
}
"""Parts that are names of ours."""
IDS = (frozenset(_FINDS) | frozenset(_THEIRS)) - {"guild"}
"""Parts that belong to one server or customer, so that another's must not be found."""
_QUERIES: Mapping[str, str] = {
    "/admin/{guild}/products/roles": "product=1/prod_vip/",
    "/icons/{guild}.png": "v=abc",
    "/welcome": "session_id={checkout}&key={payer_key}",
}
NO_SUCH = "17171717"
"""Fits every number, and no row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Fills routes with the ids of one server and of one customer."""

    path: Path
    secrets: Secrets
    guild_id: GuildId
    user_id: UserId = CHARLIE

    def of(self, route: str, *, at: GuildId | None = None) -> Sequence[str]:
        """Return every address of a route; with `at`, those of the ids of this server under the name of another."""
        parts = [name for _, name, _, _ in Formatter().parse(route) if name]
        choices = self._choices(parts, route)
        if at:
            choices = [(str(at), *chosen[1:]) for chosen in choices]
        query = _QUERIES.get(route, "").format(checkout=self.secrets.checkout, payer_key=self.secrets.payer_key)
        filled = [route.format(**dict(zip(parts, map(_quoted, chosen), strict=True))) for chosen in choices]
        return [f"{address}?{query}" if query else address for address in filled]

    def _choices(self, parts: Sequence[str], route: str) -> Sequence[Sequence[str]]:
        """Return what the parts may be together, each choice in the parts' order."""
        pair = (parts[-2], parts[-1]) if len(parts) > 1 else ("", "")
        if pair in _PAIRS:
            return [(str(self.guild_id), *found) for found in self._rows(_PAIRS[pair], int(self.guild_id))]
        return list(product(*(self._ids(part, route) for part in parts)))

    def _ids(self, part: str, route: str) -> Sequence[str]:
        if part == "token":
            return [self._token(route)]
        if part == "ticket":
            return [self.secrets.verify]
        if part in _WORDS and not route.startswith("/admin/{guild}/webhooks/"):
            return [_WORDS[part]]
        if part in ("kept", "added", "known", "made"):
            return [NO_SUCH]
        if route.startswith("/portal/"):
            return [row[0] for row in self._rows(_THEIRS[part], int(self.user_id))]
        usual = next((finds for (way, name), finds in _FINDS_ON.items() if route.startswith(way) and name == part), "")
        return [row[0] for row in self._rows(usual or _FINDS[part], int(self.guild_id))]

    def _token(self, route: str) -> str:
        secrets = {
            "/connect/": self.secrets.connect,
            "/billing/": self.secrets.billing,
            "/admin/first/": self.secrets.first,
            "/sign-in/": NO_SUCH,
            "/mail/": self.secrets.unsubscribe,
        }
        return next(secret for way, secret in secrets.items() if route.startswith(way))

    def _rows(self, question: str, subject: int) -> Sequence[Sequence[str]]:
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as database:
            database.create_function("label_name", 1, label_name)
            found = [tuple(map(str, row)) for row in database.execute(question, (subject,))]
        assert found, f"the furnished world has none of: {question}"
        return found


def _quoted(part: str) -> str:
    return quote(part, safe="")


def digest_of(path: Path, *, without: Sequence[str] = ()) -> Mapping[str, str]:
    """Return what each table holds now, as a digest."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
        return {
            name: hashlib.sha256(
                repr(sorted(map(repr, database.execute(f'SELECT * FROM "{name}"')))).encode()
            ).hexdigest()
            for name in names
            if name not in without
        }


def restore(path: Path, kept: Path) -> None:
    """Put a database back to what a copy of it holds, under the process that has it open."""
    with closing(sqlite3.connect(kept)) as source, closing(sqlite3.connect(path, timeout=5)) as target:
        source.backup(target)
