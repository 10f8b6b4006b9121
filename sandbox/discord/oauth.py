"""OAuth2 as Discord does it: authorization codes with PKCE, access tokens of seven days, single-use refresh tokens.

The rules only; the consent page and the HTTP endpoints are in oauth_web.py.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from yarl import URL

from sandbox.discord import payloads
from sandbox.discord.world import Guild, Json, User, World

ACCESS_TOKEN_LIFETIME = timedelta(days=7)
CODE_LIFETIME = timedelta(minutes=1)
BOT = "bot"
KNOWN_SCOPES = frozenset(
    {
        *("identify", "email", "guilds", "guilds.join", "guilds.members.read", "role_connections.write"),
        *(BOT, "applications.commands"),
    }
)


class AuthorizationError(Exception):
    """A request that Discord shows or answers as an error; `error` is the word of RFC 6749."""

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        """Keep the error word, a sentence for people, and the HTTP status."""
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """A valid request to the consent page.

    With the scope "bot" a server is chosen, too: `guild_id` is the one that is chosen already, and `is_guild_fixed`
    says that it cannot be another; `permissions` are those that the bot gets there.
    """

    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None
    code_challenge: str | None
    permissions: int = 0
    guild_id: int | None = None
    is_guild_fixed: bool = False

    @property
    def wants_bot(self) -> bool:
        """Say whether the bot is to be added to a server."""
        return BOT in self.scopes


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What an access token (and its refresh token) stands for."""

    access_token: str
    refresh_token: str
    user: User
    scopes: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Code:
    user: User
    request: AuthorizationRequest
    scopes: tuple[str, ...]
    expires_at: datetime
    guild: Guild | None = None


class Authorizations:
    """Codes and tokens of one application. `withheld` are scopes that people do not give, though they agree."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.withheld: set[str] = set()
        self._codes: dict[str, _Code] = {}
        self._by_access_token: dict[str, Token] = {}
        self._by_refresh_token: dict[str, Token] = {}

    def read_request(self, query: Mapping[str, str]) -> AuthorizationRequest:
        """Check the query of the consent page. Raises AuthorizationError, which is shown and never redirected."""
        portal = self._world.portal
        if query.get("client_id") != portal.client_id:
            raise AuthorizationError("invalid_client", "Unknown application.")
        redirect_uri = query.get("redirect_uri", "")
        if redirect_uri not in portal.redirect_uris:
            raise AuthorizationError("invalid_request", "Invalid OAuth2 redirect_uri: it must match exactly.")
        if query.get("response_type") != "code":
            raise AuthorizationError("unsupported_response_type", "The response type must be code.")
        scopes = tuple(query.get("scope", "").split())
        if not scopes or not set(scopes) <= KNOWN_SCOPES:
            raise AuthorizationError("invalid_scope", "The requested scope is invalid, unknown, or malformed.")
        challenge = query.get("code_challenge")
        if challenge and query.get("code_challenge_method") != "S256":
            raise AuthorizationError("invalid_request", "The code challenge method must be S256.")
        return AuthorizationRequest(
            redirect_uri=redirect_uri,
            scopes=scopes,
            state=query.get("state"),
            code_challenge=challenge,
            permissions=_whole(query, "permissions") or 0,
            guild_id=_whole(query, "guild_id"),
            is_guild_fixed=query.get("disable_guild_select") == "true",
        )

    def approve(self, request: AuthorizationRequest, user: User, guild: Guild | None = None) -> str:
        """Make a code for the user and return the address to send the browser to; `guild` has the bot now."""
        code = secrets.token_urlsafe(22)
        expires_at = self._world.clock.now() + CODE_LIFETIME
        scopes = tuple(each for each in request.scopes if each not in self.withheld)
        self._codes[code] = _Code(user=user, request=request, scopes=scopes, expires_at=expires_at, guild=guild)
        if guild is None:
            return _redirect(request, code=code)
        return _redirect(request, code=code, guild_id=str(guild.id), permissions=str(request.permissions))

    def deny(self, request: AuthorizationRequest) -> str:
        """Return the address to send the browser to after a refusal."""
        description = "The resource owner or authorization server denied the request"
        return _redirect(request, error="access_denied", error_description=description)

    def exchange(self, form: Mapping[str, str], credentials: tuple[str, str] | None) -> Json:
        """Answer the token endpoint: `authorization_code` or `refresh_token`. Raises AuthorizationError."""
        self._check_client(form, credentials)
        match form.get("grant_type"):
            case "authorization_code":
                return self._exchange_code(form)
            case "refresh_token":
                return self._refresh(form)
        raise AuthorizationError("unsupported_grant_type", "Grant type must be authorization_code or refresh_token")

    def revoke(self, form: Mapping[str, str], credentials: tuple[str, str] | None) -> None:
        """Revoke the whole authorization that a token belongs to, as Discord does; unknown tokens are ignored."""
        self._check_client(form, credentials)
        given = form.get("token", "")
        token = self._by_access_token.get(given) or self._by_refresh_token.get(given)
        if token:
            self.deauthorize(token.user)

    def deauthorize(self, user: User) -> None:
        """Forget every token of a user, as when they remove the application in their settings."""
        for token in [each for each in self._by_refresh_token.values() if each.user.id == user.id]:
            self._forget(token)

    def token(self, access_token: str) -> Token | None:
        """Return what a live access token stands for, None for an expired, revoked or invented one."""
        token = self._by_access_token.get(access_token)
        return token if token and token.expires_at > self._world.clock.now() else None

    def authorized_at(self, user: User) -> datetime | None:
        """Return when a user last authorized the application, None when no live token says so."""
        issued = [each.expires_at for each in self._by_access_token.values() if each.user.id == user.id]
        return max(issued) - ACCESS_TOKEN_LIFETIME if issued else None

    def _exchange_code(self, form: Mapping[str, str]) -> Json:
        code = self._codes.pop(form.get("code", ""), None)
        is_valid = code and code.expires_at > self._world.clock.now()
        if not code or not is_valid or form.get("redirect_uri") != code.request.redirect_uri:
            raise AuthorizationError("invalid_grant", 'Invalid "code" in request.')
        challenge = code.request.code_challenge
        if challenge and not hmac.compare_digest(challenge, s256(form.get("code_verifier", ""))):
            raise AuthorizationError("invalid_grant", 'Invalid "code_verifier" in request.')
        issued = self._issue(code.user, code.scopes)
        return issued if code.guild is None else issued | {"guild": payloads.guild(code.guild)}

    def _refresh(self, form: Mapping[str, str]) -> Json:
        old = self._by_refresh_token.get(form.get("refresh_token", ""))
        if old is None:
            raise AuthorizationError("invalid_grant", 'Invalid "refresh_token" in request.')
        self._forget(old)
        return self._issue(old.user, old.scopes)

    def _issue(self, user: User, scopes: tuple[str, ...]) -> Json:
        token = Token(
            access_token=secrets.token_urlsafe(22),
            refresh_token=secrets.token_urlsafe(22),
            user=user,
            scopes=scopes,
            expires_at=self._world.clock.now() + ACCESS_TOKEN_LIFETIME,
        )
        self._by_access_token[token.access_token] = token
        self._by_refresh_token[token.refresh_token] = token
        return {
            "token_type": "Bearer",
            "access_token": token.access_token,
            "expires_in": int(ACCESS_TOKEN_LIFETIME.total_seconds()),
            "refresh_token": token.refresh_token,
            "scope": " ".join(scopes),
        }

    def _forget(self, token: Token) -> None:
        self._by_access_token.pop(token.access_token, None)
        self._by_refresh_token.pop(token.refresh_token, None)

    def _check_client(self, form: Mapping[str, str], credentials: tuple[str, str] | None) -> None:
        portal = self._world.portal
        client_id, secret = credentials or (form.get("client_id", ""), form.get("client_secret", ""))
        # Compared as bytes: compare_digest refuses text outside ASCII.
        if client_id != portal.client_id or not hmac.compare_digest(secret.encode(), portal.client_secret.encode()):
            raise AuthorizationError("invalid_client", "Invalid client credentials", status=401)


def s256(verifier: str) -> str:
    """Return the PKCE challenge of a verifier (RFC 7636)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _whole(query: Mapping[str, str], name: str) -> int | None:
    """Read a number of the address. Raises AuthorizationError for what is none."""
    given = query.get(name, "")
    if given and not given.isdecimal():
        raise AuthorizationError("invalid_request", f"Value of {name} is not a number.")
    return int(given) if given else None


def _redirect(request: AuthorizationRequest, **answer: str) -> str:
    state = {"state": request.state} if request.state is not None else {}
    return str(URL(request.redirect_uri).update_query(answer | state))
