"""Reads the fields of a request's body; each refusal names its field, the value and what is allowed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from clara_trainer.serve.problem import bad

Body = Mapping[str, Any]


def shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def number(body: Body, name: str, default: float, low: float, high: float) -> float:
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise bad(name, f"{name} must be a number, not {shown(value)}")
    if not low <= value <= high:
        raise bad(name, f"{name} must be between {low:g} and {high:g}, not {shown(value)}")
    return float(value)


def whole(body: Body, name: str, low: int, high: int) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad(name, f"{name} must be an integer, not {shown(value)}")
    if not low <= value <= high:
        raise bad(name, f"{name} must be between {low} and {high}, not {value}")
    return value


def flag(body: Body, name: str) -> bool:
    value = body.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise bad(name, f"{name} must be true or false, not {shown(value)}")
    return value


def text(body: Body, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise bad(name, f"{name} must be a text that is not empty, not {shown(value)}")
    return value


def mapping(body: Body, name: str) -> Body:
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise bad(name, f"{name} must be an object, not {shown(value)}")
    return value


def texts(body: Body, name: str, most: int) -> tuple[str, ...]:
    """A text or a list of at most `most`."""
    value = body.get(name)
    found = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise bad(name, f"{name} must be a text or a list of texts, not {shown(value)}")
    if len(found) > most:
        raise bad(name, f"{name} may have {most} texts, not {len(found)}")
    if any(not one for one in found):
        raise bad(name, f"{name} must not hold an empty text")
    return tuple(found)


def ids(value: object) -> bool:
    """Whether it is a list of token ids."""
    return isinstance(value, list) and all(isinstance(one, int) and not isinstance(one, bool) for one in value)


def refuse(body: Body, allowed: Mapping[str, tuple[object, ...]]) -> None:
    """Fields of the API that this engine does not know; a value that asks for nothing passes."""
    for name, values in allowed.items():
        value = body.get(name)
        if value is not None and value not in values:
            raise bad(name, f"{name} is not supported by the embedded engine; leave it out", "unsupported_parameter")
