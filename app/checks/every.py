"""Every check there is."""

from __future__ import annotations

from app.checks import application, configuration, environment, keeping, payments, servers
from app.checks.patient import Patient
from membership.checks import Check

_MODULES = (environment, configuration, application, servers, payments, keeping)


def every_check(patient: Patient) -> list[Check]:
    """Return the checks of every area, for one patient."""
    return [check for module in _MODULES for check in module.checks(patient)]
