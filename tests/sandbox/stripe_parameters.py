"""Reads the parameter names that stripe-python declares. Run as a script, it rewrites the copy in the sandbox."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
from pathlib import Path
from typing import Any

from stripe._request_options import RequestOptions

COPY = Path(__file__).parents[2] / "sandbox" / "stripe" / "parameters.json"
DEPTH = 3


def declared(names: list[str]) -> dict[str, Any]:
    """Return `{"SubscriptionCreateParams": {"customer": None, "items": {"price": None}}}` for the named classes."""
    return {name: _tree(_locate(name), DEPTH, hidden=set(RequestOptions.__annotations__)) for name in sorted(names)}


def recorded() -> dict[str, Any]:
    """Return the copy that the local Stripe reads."""
    loaded: dict[str, Any] = json.loads(COPY.read_text())
    return loaded


def _locate(name: str) -> type:
    parts = name.split(".")
    module_name = "_" + re.sub(r"(?<!^)(?=[A-Z])", "_", parts[-1]).lower()
    module = importlib.import_module(".".join(["stripe.params", *parts[:-1], module_name]))
    found = getattr(module, parts[-1])
    assert inspect.isclass(found)
    return found


def _tree(declaration: type, depth: int, hidden: set[str]) -> dict[str, Any]:
    module = sys.modules[declaration.__module__]
    tree: dict[str, Any] = {}
    for name, annotation in declaration.__annotations__.items():
        if name in hidden:
            continue
        nested = [getattr(module, word, None) for word in re.findall(r"[A-Z]\w+Params\w+", str(annotation))]
        children = [child for child in nested if inspect.isclass(child)]
        is_open = depth <= 1 or not children or "Dict[str" in str(annotation)
        merged = {key: value for child in children for key, value in _tree(child, depth - 1, set()).items()}
        tree[name] = None if is_open else merged
    return tree


if __name__ == "__main__":
    from sandbox.stripe.routes import ROUTES

    names = sorted({route.parameters for route in ROUTES if route.parameters})
    COPY.write_text(json.dumps(declared(names), separators=(",", ":"), sort_keys=True) + "\n")
