"""The pages on which staff see how a server runs and put things right; each registers its own."""

from __future__ import annotations

from web.admin import brake, doctor, notifications, overview, problems
from web.site import Site


def install(site: Site) -> None:
    """Register the pages."""
    overview.install(site)
    problems.install(site)
    brake.install(site)
    notifications.install(site)
    doctor.install(site)
