"""Everything that people can use in Discord, one cog each. A new feature is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable

from discord.ext import commands

from cogs.buy import BuyCommand
from cogs.code import CodeCommands
from cogs.dashboard import Dashboard
from cogs.data import DataCommands
from cogs.frame import Frame
from cogs.member import MemberCommands
from cogs.membership import MembershipCommand
from cogs.notify import Notify
from cogs.plan import PlanCommands
from cogs.privacy import PrivacyCommand
from cogs.report import ReportCommands
from cogs.role_again import RoleAgain
from cogs.safety import Safety
from cogs.sync import SyncCommands
from cogs.undo import Undo

FEATURES: tuple[Callable[[Frame], commands.Cog], ...] = (
    MembershipCommand,
    BuyCommand,
    MemberCommands,
    Safety,
    Undo,
    Notify,
    PlanCommands,
    RoleAgain,
    CodeCommands,
    SyncCommands,
    PrivacyCommand,
    ReportCommands,
    DataCommands,
    Dashboard,
)
