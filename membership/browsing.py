"""The words behind the pages: who is signed in where, what customers and servers chose for mails, and past runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from membership.model import CustomerId, GuildId, Proof, UserId


class Person(StrEnum):
    """As what somebody is signed in: the two never share a session."""

    CUSTOMER = "customer"
    STAFF = "staff"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """One browser that somebody is signed in with; `digest` is all that is kept of its key.

    `user_id` is a proven Discord account, `email` a proven mail address ("" for none); `proved_at` is when that was
    proven last, `device` what the browser calls itself, for people ("Firefox on Linux").
    """

    id: int = 0
    digest: str
    person: Person
    user_id: UserId | None = None
    email: str = ""
    name: str = ""
    device: str = ""
    began_at: datetime
    seen_at: datetime
    proved_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerSettings:
    """What a payer chose: language and time zone ("" for ours to find), reminders, and a mail when a role arrives."""

    customer_id: CustomerId
    language: str = ""
    time_zone: str = ""
    reminders: bool = True
    delivered: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenBy:
    """What a payer chose, with what shows whose it is: their address, and the Discord account they are linked to."""

    settings: CustomerSettings
    email: str
    linked_to: UserId | None = None
    proof: Proof | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailText:
    """A server's own words in a mail, in one language: a subject in place of ours, and one paragraph at its head."""

    guild_id: GuildId
    template: str
    language: str
    subject: str = ""
    intro: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One pass of scheduled work. `subject` is a provider's or another name where it concerns no server.

    `ended_at` None: it is under way, or was cut off. `trouble` says why it did not finish, "" when it did.
    """

    id: int = 0
    kind: str
    started_at: datetime
    guild_id: GuildId | None = None
    subject: str = ""
    ended_at: datetime | None = None
    looked_at: int = 0
    changed: int = 0
    trouble: str = ""
