"""The refusals of the local Stripe: one exception that carries the whole JSON answer for `api` to render."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """An answer with an error body, as documented at https://docs.stripe.com/api/errors."""

    def __init__(self, status: int, message: str, *, kind: str = "invalid_request_error", **details: Any) -> None:
        """Keep the HTTP `status`, the error `type` (`kind`) and any further fields: code, param, decline_code."""
        super().__init__(message)
        self.status = status
        self.headers: dict[str, str] = {}
        self.body = {"error": {"message": message, "type": kind, **details}}


def missing(noun: str, object_id: str, *, status: int = 404, param: str = "id") -> Refusal:
    """Return the answer for an object that does not exist. As a parameter of something else Stripe says 400."""
    return Refusal(status, f"No such {noun}: '{object_id}'", code="resource_missing", param=param)


def required(param: str) -> Refusal:
    """Return the answer for a parameter that was left out."""
    return Refusal(400, f"Missing required param: {param}.", code="parameter_missing", param=param)


def unknown_parameter(param: str) -> Refusal:
    """Return the answer for a parameter that the endpoint does not have."""
    return Refusal(400, f"Received unknown parameter: {param}", code="parameter_unknown", param=param)


def invalid(param: str, message: str, *, code: str | None = None) -> Refusal:
    """Return the answer for a parameter whose value cannot be used."""
    details = {"code": code} if code else {}
    return Refusal(400, message, param=param, **details)


def declined(message: str, *, decline_code: str, code: str = "card_declined") -> Refusal:
    """Return the answer for a payment that the bank refuses: status 402, type `card_error`."""
    return Refusal(402, message, kind="card_error", code=code, decline_code=decline_code)


def rate_limited(reason: str = "global-rate") -> Refusal:
    """Return a 429 whose reason stands in a header only, see https://docs.stripe.com/rate-limits."""
    refusal = Refusal(429, "Too many requests hit the API too quickly.", code="rate_limit")
    refusal.headers["Stripe-Rate-Limited-Reason"] = reason
    return refusal
