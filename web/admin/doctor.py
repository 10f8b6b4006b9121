"""The doctor's page: what is well as a count, what is not with its cause and fix, again at a button, and as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from aiohttp import hdrs, web

from locales.catalogue import translatable
from membership.check_words import counts, report, skips, worst_first
from membership.checks import Area, Outcome, Result, tally
from membership.errors import Gone
from membership.model import GuildId
from web.parts import Doctor
from web.site import Site
from web.visits import StaffVisit

REPORT_FILE = "doorlist-doctor.txt"
MOST_KEPT = 100
BADGES = {Outcome.FAIL: ("bad", "✗"), Outcome.WARN: ("warn", "!"), Outcome.HINT: ("info", "·")}

PLACES: Mapping[str, tuple[str, str]] = {
    "D11": ("/plans", translatable("Open the plans")),
    "D12": ("/plans", translatable("Open the plans")),
    "D14": ("/settings", translatable("Open the settings")),
    "J04": ("/brake", translatable("Open the brake")),
    "P03": ("/webhooks", translatable("Open the webhooks")),
    "P04": ("/webhooks", translatable("Open the webhooks")),
    "P05": ("/webhooks", translatable("Open the webhooks")),
    "P06": ("/products", translatable("Open the roles by price")),
    "P08": ("/plans", translatable("Open the plans")),
}
"""Where in the server's pages what a check finds is put right or looked at, for checks whose fix is not at Discord."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was found, and when."""

    at: datetime
    results: Sequence[Result]


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaLook:
    """What was found in one area: how many checks came out how, what is wrong, and what was skipped why."""

    name: Area
    counts: str
    wrong: Sequence[Result]
    skipped: Sequence[str]


class DoctorPages:
    """Remembers the last look at each server: a look asks Discord and the payment platforms, and takes seconds."""

    def __init__(self) -> None:
        """Start without a look."""
        self._looks: dict[GuildId, Look] = {}

    async def show(self, visit: StaffVisit) -> web.Response:
        """Show what the last look found."""
        look = self._looks.get(visit.guild.id)
        results = () if look is None else look.results
        return visit.page(
            "admin/doctor.html",
            look=look,
            areas=_areas(results),
            total=tally(results).total(),
            badges=BADGES,
            places=PLACES,
        )

    async def examine(self, visit: StaffVisit) -> web.Response:
        """Look the server over, one look at a time."""
        doctor = _doctor_of(visit)
        async with visit.services.turns.of(f"doctor:{visit.guild.id}"):
            results = await doctor.examine(visit.guild.id)
            self._looks.pop(visit.guild.id, None)
            self._looks[visit.guild.id] = Look(at=visit.services.clock.now(), results=tuple(results))
            if len(self._looks) > MOST_KEPT:
                del self._looks[next(iter(self._looks))]
        return await visit.go(visit.here("/doctor"))

    async def download(self, visit: StaffVisit) -> web.Response:
        """Return the last look as a file without addresses and secrets, to show to others."""
        look = self._looks.get(visit.guild.id)
        if look is None:
            return await visit.go(visit.here("/doctor"))
        headers = {hdrs.CONTENT_DISPOSITION: f'attachment; filename="{REPORT_FILE}"'}
        return web.Response(text=report(look.results), content_type="text/plain", charset="utf-8", headers=headers)


def install(site: Site) -> None:
    """Register the pages."""
    pages = DoctorPages()
    site.manager.get("/admin/{guild}/doctor", pages.show)
    site.manager.post("/admin/{guild}/doctor", pages.examine)
    site.manager.get("/admin/{guild}/doctor/report", pages.download)


def _doctor_of(visit: StaffVisit) -> Doctor:
    if visit.parts.doctor is None:
        raise Gone("doctor")
    return visit.parts.doctor


def _areas(results: Sequence[Result]) -> list[AreaLook]:
    found = []
    for area, group in groupby(results, key=lambda result: result.area):
        own = list(group)
        found.append(AreaLook(name=area, counts=counts(tally(own)), wrong=worst_first(own), skipped=skips(own)))
    return found
