"""Why an adapter cannot be exported, in words for whoever asked."""

from __future__ import annotations


class ExportProblem(Exception):
    pass
