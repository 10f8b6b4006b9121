"""The two OAuth calls to Discord: sign-in with PKCE, and who signed in. The token is handed on once and kept nowhere.

Whatever Discord answers, only Retry, Blocked(CREDENTIALS_REFUSED) and UserError come out (threats O18).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
from yarl import URL

from locales.catalogue import translatable
from membership.errors import Audience, Blocked, Reason, Retry, UserError
from membership.model import GuildId, UserId
from web.parts import DiscordApplication, DiscordIdentity

SCOPES = ("identify", "email", "guilds.join")
CUSTOMER_SCOPES = ("identify", "email")
STAFF_SCOPES = ("identify",)
BOT_SCOPES = ("bot", "applications.commands", "identify")
CALLBACK_PATH = "/oauth/discord/callback"

_TIMEOUT = aiohttp.ClientTimeout(total=10)
_LARGEST_ANSWER = 64 * 1024
_LONGEST_USERNAME = 32
_LONGEST_NAME = 100
_INVITED = 268487681
"""Create Invite, View Channels, Send Messages, Embed Links, Attach Files, Manage Roles."""
_KICKS = 1 << 1
_START_AGAIN = translatable("Discord did not accept this sign-in: it was too old or used before. Please start again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What somebody is asked to allow. With the scope "bot" Discord asks for a server to add the bot to, too:
    `permissions` are those that it gets there, `guild_id` the one that is chosen already.
    """

    scopes: tuple[str, ...] = SCOPES
    permissions: int = 0
    guild_id: GuildId | None = None


TO_CONNECT = Consent()
AS_CUSTOMER = Consent(scopes=CUSTOMER_SCOPES)
AS_STAFF = Consent(scopes=STAFF_SCOPES)


def to_add_bot(guild_id: GuildId | None = None, *, may_kick: bool = False) -> Consent:
    """Return what adding the bot to a server asks for: never Administrator (EXPERIENCE 3.4)."""
    return Consent(scopes=BOT_SCOPES, permissions=_INVITED | (_KICKS if may_kick else 0), guild_id=guild_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A finished sign-in: who it was and what they allowed.

    `guild_id` is the server that the bot was added to: Discord says so with the token, so that it is proven, unlike
    what the browser brings along in the address. None where none was.
    """

    user: DiscordIdentity
    access_token: str
    scopes: frozenset[str]
    guild_id: GuildId | None = None
    guild_name: str = ""


class DiscordLogin:
    """Sign-in with Discord for one application. The way back comes from the configuration, never from a request."""

    def __init__(self, session: aiohttp.ClientSession, application: DiscordApplication, public_url: str) -> None:
        """Take the HTTP session to use; `public_url` is our own origin."""
        self._session = session
        self._application = application
        self._redirect_uri = public_url + CALLBACK_PATH

    def authorize_url(self, state: str, verifier: str, consent: Consent = TO_CONNECT) -> str:
        """Return where to send the browser. `verifier` stays with us; Discord sees its S256 challenge."""
        query = {
            "client_id": self._application.client_id,
            "response_type": "code",
            "redirect_uri": self._redirect_uri,
            "scope": " ".join(consent.scopes),
            "state": state,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
            "prompt": "consent",
        }
        if consent.permissions:
            query["permissions"] = str(consent.permissions)
        if consent.guild_id is not None:
            query |= {"guild_id": str(consent.guild_id), "disable_guild_select": "true"}
        return str(URL(self._application.site_url + "/oauth2/authorize").with_query(query))

    async def finish(self, code: str, verifier: str) -> SignIn:
        """Exchange the code and read who signed in. Raises Retry, Blocked, or UserError for a code that is no good."""
        token = await self._token(code, verifier)
        access_token = _text(token, "access_token")
        me = await self._ask("GET", "/users/@me", headers={"Authorization": f"Bearer {access_token}"})
        if me.get("bot") is True:
            raise UserError(translatable("That is a bot's account. Please sign in with your own Discord account."))
        scopes = token.get("scope", "")
        guild_id, guild_name = _guild(token.get("guild"))
        return SignIn(
            user=_identity(me),
            access_token=access_token,
            scopes=frozenset(scopes.split()) if isinstance(scopes, str) else frozenset(),
            guild_id=guild_id,
            guild_name=guild_name,
        )

    async def _token(self, code: str, verifier: str) -> Mapping[str, object]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": verifier,
        }
        credentials = aiohttp.encode_basic_auth(self._application.client_id, self._application.client_secret)
        return await self._ask("POST", "/oauth2/token", headers={"Authorization": credentials}, form=form)

    async def _ask(
        self, method: str, path: str, *, headers: Mapping[str, str], form: Mapping[str, str] | None = None
    ) -> Mapping[str, object]:
        """Make one call and return its JSON object."""
        url = self._application.api_url + path
        try:
            async with self._session.request(
                method, url, headers=headers, data=form, timeout=_TIMEOUT, allow_redirects=False
            ) as response:
                return _judge(response, await _read(response))
        except (aiohttp.ClientError, TimeoutError) as trouble:
            raise Retry(f"Discord did not answer: {type(trouble).__name__}") from trouble


def challenge(verifier: str) -> str:
    """Return the PKCE S256 challenge of a verifier (RFC 7636)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Read the body, cut off where no answer of Discord's ends."""
    body = b""
    async for chunk in response.content.iter_chunked(_LARGEST_ANSWER):
        body += chunk
        if len(body) > _LARGEST_ANSWER:
            break
    return body


def _judge(response: aiohttp.ClientResponse, body: bytes) -> Mapping[str, object]:
    """Turn an answer into its object, or into one of our failures."""
    if response.status == 429:
        raise Retry("Discord asks for patience", after=_patience(response))
    if response.status >= 500 or 300 <= response.status < 400:
        raise Retry(f"Discord answered {response.status}")
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as nonsense:
        raise Retry(f"Discord answered {response.status} with something that is not JSON") from nonsense
    if not isinstance(content, dict):
        raise Retry(f"Discord answered {response.status} with something that is not an object")
    error = content.get("error")
    if error in ("invalid_client", "unauthorized_client"):
        raise Blocked(Reason.CREDENTIALS_REFUSED, audience=Audience.OPERATOR, detail=f"Discord sign-in: {error}")
    if response.status >= 400 or error is not None:
        raise UserError(_START_AGAIN)
    return content


def _identity(me: Mapping[str, object]) -> DiscordIdentity:
    email = me.get("email")
    shown = me.get("global_name")
    try:
        user_id = UserId(int(_text(me, "id")))
    except ValueError as nonsense:
        raise Retry("Discord did not say who signed in") from nonsense
    return DiscordIdentity(
        user_id=user_id,
        username=_text(me, "username")[:_LONGEST_USERNAME],
        display_name=shown[:_LONGEST_USERNAME] if isinstance(shown, str) else "",
        email=email if isinstance(email, str) and me.get("verified") is True else "",
    )


def _guild(guild: object) -> tuple[GuildId | None, str]:
    """Read the server that came with a token, if one did."""
    if not isinstance(guild, dict):
        return None, ""
    guild_id, name = guild.get("id"), guild.get("name")
    if not isinstance(guild_id, str) or not guild_id.isdecimal():
        raise Retry("Discord did not say which server the bot was added to")
    return GuildId(int(guild_id)), name[:_LONGEST_NAME] if isinstance(name, str) else ""


def _text(content: Mapping[str, object], name: str) -> str:
    """Return a required text. Raises Retry: a 200 without it is Discord being unwell."""
    value = content.get(name)
    if not isinstance(value, str) or not value:
        raise Retry(f"Discord's answer has no {name}")
    return value


def _patience(response: aiohttp.ClientResponse) -> timedelta | None:
    """Read Retry-After, whole seconds."""
    seconds = response.headers.get("Retry-After", "").partition(".")[0]
    return timedelta(seconds=int(seconds) + 1) if seconds.isascii() and seconds.isdigit() and len(seconds) < 6 else None
