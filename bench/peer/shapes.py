"""The job API in pydantic: the same fields and limits as the application's."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["pending", "queued", "running", "completed", "failed", "cancelled"]
TrainerType = Literal["lora", "qlora", "continuous"]


class CreateJob(BaseModel):
    trainer_type: TrainerType
    config_path: Annotated[str, Field(min_length=1, max_length=1024)]
    dataset_path: Annotated[str | None, Field(max_length=1024)] = None
    priority: Annotated[int, Field(ge=1, le=5)] = 1
    tags: Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=50)] = []


class Job(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    job_id: UUID
    trainer_type: TrainerType
    status: Status
    config_path: str
    dataset_path: str | None
    output_dir: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    current_epoch: float
    total_epochs: float
    progress_percent: float
    current_step: int
    total_steps: int
    seconds_left: float | None
    adapter_path: str | None
    metrics: dict[str, Any] | None
    error_message: str | None
    priority: int
    tags: list[str]
    created_by: str
    base_model: str
    attempt: int
    cancel_requested: bool
    queue_position: int | None = None
    waiting_for: str | None = None


class JobReply(BaseModel):
    success: bool
    job_id: UUID
    status: Status
    message: str
    data: Job


def reply(job: object, message: str) -> JobReply:
    data = Job.model_validate(job)
    return JobReply(success=True, job_id=data.job_id, status=data.status, message=message, data=data)
