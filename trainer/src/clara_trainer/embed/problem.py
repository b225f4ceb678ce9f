"""Why there is no model, in words for a user."""

from __future__ import annotations

from typing import Literal


class ModelProblem(Exception):
    """The message says what was looked for and what to do. `missing`: it may turn up by itself."""

    def __init__(self, code: Literal["missing", "unusable"], message: str) -> None:
        super().__init__(message)
        self.code = code
