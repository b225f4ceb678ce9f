"""What a request is refused with: OpenAI's error object and its status."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Problem(Exception):
    """The message says what was wrong, with which value, and what to do."""

    status: int
    message: str
    type: str = "invalid_request_error"
    param: str | None = None
    code: str | int | None = None

    def __post_init__(self) -> None:
        super().__init__(self.message)

    def body(self) -> dict[str, object]:
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


class StartProblem(Exception):
    """Why the engine cannot start, in words for a user."""


STOPPED = "The engine is being stopped."


def bad(param: str | None, message: str, code: str | None = None) -> Problem:
    return Problem(400, message, param=param, code=code)


def no_model(name: str) -> Problem:
    return Problem(404, f"The model `{name}` does not exist.", "invalid_request_error", "model", "model_not_found")


def stopping() -> Problem:
    return Problem(503, STOPPED, "service_unavailable_error", code="stopping")


def internal(message: str) -> Problem:
    return Problem(500, message, "internal_error")
