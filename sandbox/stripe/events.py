"""Events: a snapshot of the object at the moment of the change, in the version of the receiver, or a thin note."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from sandbox.stripe import versions
from sandbox.stripe.shapes import Object, blank
from sandbox.stripe.world import World

# Where an object lives, for the `related_object.url` of thin events.
_PATHS = {
    "subscription": "/v1/subscriptions/",
    "checkout.session": "/v1/checkout/sessions/",
    "dispute": "/v1/disputes/",
    "subscription_schedule": "/v1/subscription_schedules/",
}


class Outbox(Protocol):
    """Whoever carries events to the endpoints."""

    def post(self, event: Object, endpoint: Object, body: bytes) -> None:
        """Queue one delivery of `body`."""


class EventLog:
    """Writes every change down and hands it to the outbox, once per endpoint that wants it."""

    def __init__(self, world: World, outbox: Outbox) -> None:
        """Listen to the changes of `world`."""
        self._world = world
        self._outbox = outbox
        self.twins = False
        self.muted = False
        world.on_event = self.record

    def record(self, kind: str, subject: Object, previous: Object | None) -> None:
        """Write the event down; with `twins`, twice under different ids, as Stripe warns it may."""
        if self.muted:
            return
        for _ in range(2 if self.twins else 1):
            self._record_once(kind, subject, previous)

    def _record_once(self, kind: str, subject: Object, previous: Object | None) -> None:
        world = self._world
        endpoints = [row for row in world.rows("webhook_endpoint") if _wants(row, kind)]
        event = self._snapshot(kind, subject, previous, world.settings.api_version)
        event["pending_webhooks"] = len(endpoints)
        world.add(event, event=None)
        for endpoint in endpoints:
            body = self._body(event, subject, previous, endpoint)
            self._outbox.post(event, endpoint, json.dumps(body).encode())

    def _body(self, event: Object, subject: Object, previous: Object | None, endpoint: Object) -> Object:
        if self._world.secrets_of(endpoint["id"]).get("thin"):
            return thin(event, subject)
        version = endpoint["api_version"]
        if not version or version == event["api_version"]:
            return event
        return {**self._snapshot(event["type"], subject, previous, version), **_same(event)}

    def _snapshot(self, kind: str, subject: Object, previous: Object | None, version: str) -> Object:
        world = self._world
        shown: Object = {"object": json.loads(json.dumps(versions.render(world, subject, version)))}
        if previous is not None:
            shown["previous_attributes"] = json.loads(json.dumps(_only_changes(previous, subject)))
        return blank(
            "event",
            id=world.new_id("evt_"),
            api_version=version,
            created=world.now(subject.get("test_clock")),
            data=shown,
            livemode=world.livemode,
            request=dict(world.request),
            type=kind,
        )


def thin(event: Object, subject: Object) -> Object:
    """Return the thin notification for a snapshot event: type and related object, no content."""
    kind = subject["object"]
    path = _PATHS.get(kind, f"/v1/{kind}s/")
    return {
        "id": event["id"],
        "object": "v2.core.event",
        "type": f"v1.{event['type']}",
        "created": datetime.fromtimestamp(event["created"], UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "livemode": event["livemode"],
        "context": None,
        "reason": None,
        "related_object": {"id": subject["id"], "type": kind, "url": path + subject["id"]},
    }


def _wants(endpoint: Object, kind: str) -> bool:
    enabled: Sequence[str] = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and ("*" in enabled or kind in enabled)


def _same(event: Object) -> Object:
    return {name: event[name] for name in ("id", "created", "pending_webhooks", "request")}


def _only_changes(previous: Object, subject: Object) -> Object:
    """Narrow nested hashes to the keys that changed, as Stripe does; lists are shown whole."""
    narrowed: Object = {}
    for name, old in previous.items():
        new = subject.get(name)
        if isinstance(old, dict) and isinstance(new, dict) and old.get("object") != "list":
            narrowed[name] = {key: value for key, value in old.items() if new.get(key) != value}
            narrowed[name].update({key: None for key in new if key not in old})
        else:
            narrowed[name] = old
    return narrowed
