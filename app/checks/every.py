"""Every check there is, and a run of those that belong together."""

from __future__ import annotations

from collections.abc import Collection

from app.checks import application, configuration, environment, keeping, payments, servers
from app.checks.patient import Patient
from app.randomness import SystemRandomness
from membership.checks import Area, Category, Check, Result, chosen, run_checks

_MODULES = (environment, configuration, application, servers, payments, keeping)
_REFERENCE_LENGTH = 4


def every_check(patient: Patient) -> list[Check]:
    """Return the checks of every area, for one patient."""
    return [check for module in _MODULES for check in module.checks(patient)]


async def examine(patient: Patient, category: Category, areas: Collection[Area] = ()) -> list[Result]:
    """Run the checks of a category, of some areas only when any are named."""
    return await run_checks(chosen(every_check(patient), category=category, areas=areas), reference=_reference)


def _reference() -> str:
    return SystemRandomness().token()[:_REFERENCE_LENGTH]
