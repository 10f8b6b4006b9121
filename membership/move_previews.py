"""How a preview of carrying plans over is kept: what was chosen, the plans here and there, whom they touch. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from membership.change_kinds import Json, plan_json, plan_of
from membership.model import GuildId, Plan, PlanId, RoleId
from membership.plan_effects import Tally, spelled, told, told_as


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What somebody chose: which plans, and for each of their roles one over there. NEW_ROLE: made under its name.

    A role that is not among `roles` is left out. `archives`: nobody new gets the plans here.
    """

    plan_ids: tuple[PlanId, ...]
    roles: Mapping[RoleId, RoleId]
    archives: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A plan as it is here, as it would be there, and what that does to whom there."""

    source: Plan
    plan: Plan
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveShown:
    """A preview as it was kept. `names` are those of the roles that would be made."""

    id: str
    target_id: GuildId
    carried: tuple[Carried, ...]
    route: Route
    names: Mapping[RoleId, str]


def hash_of(carried: Sequence[Carried]) -> str:
    """Name exactly what the plans would do to whom."""
    return hashlib.sha256("".join(spelled(each.tally)[1] for each in carried).encode()).hexdigest()


def written(shown: MoveShown) -> Json:
    """Return a preview as it is kept."""
    return {
        "target_id": str(shown.target_id),
        "archives": shown.route.archives,
        "roles": {str(role): str(target) for role, target in shown.route.roles.items()},
        "names": {str(role): name for role, name in shown.names.items()},
        "carried": [
            {
                "source": plan_json(each.source),
                "plan": plan_json(each.plan),
                "effects": told_as(each.tally, spelled(each.tally)[0]),
            }
            for each in shown.carried
        ],
    }


def read(preview_id: str, content: Mapping[str, object]) -> MoveShown:
    """Read back what `written` wrote."""
    carried = tuple(_carried(each) for each in _list(content["carried"]))
    roles = {RoleId(int(role)): RoleId(int(str(target))) for role, target in _object(content["roles"]).items()}
    return MoveShown(
        id=preview_id,
        target_id=GuildId(int(str(content["target_id"]))),
        carried=carried,
        route=Route(
            plan_ids=tuple(each.source.id for each in carried), roles=roles, archives=content["archives"] is True
        ),
        names={RoleId(int(role)): str(name) for role, name in _object(content["names"]).items()},
    )


def _carried(each: object) -> Carried:
    found = _object(each)
    return Carried(
        source=plan_of(_object(found["source"])),
        plan=plan_of(_object(found["plan"])),
        tally=told(_object(found["effects"])),
    )


def _object(found: object) -> Json:
    return dict(found) if isinstance(found, Mapping) else {}


def _list(found: object) -> list[object]:
    return list(found) if isinstance(found, list | tuple) else []
