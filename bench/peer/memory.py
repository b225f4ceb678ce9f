"""The job API over a dict, as the original served it: the fastest FastAPI can be, and it forgets everything at its end."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from fastapi import FastAPI, HTTPException
from shapes import CreateJob, Job, JobReply, reply

app = FastAPI()
jobs: dict[UUID, Job] = {}
if "PEER_JOBS" in os.environ:
    jobs = {job.job_id: job for job in map(Job.model_validate, json.loads(Path(os.environ["PEER_JOBS"]).read_text()))}


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "healthy"}


@app.get("/api/training/jobs/{job_id}")
async def get_job(job_id: UUID) -> JobReply:
    job = jobs.get(job_id)
    if job is None:
        raise HTTPException(404, f"Job not found: {job_id}")
    return reply(job, "Job details retrieved")


def new_job(request: CreateJob) -> Job:
    return Job(
        **request.model_dump(),
        job_id=uuid4(),
        status="pending",
        output_dir="models",
        created_at=datetime.now(UTC),
        started_at=None,
        completed_at=None,
        current_epoch=0.0,
        total_epochs=3.0,
        progress_percent=0.0,
        current_step=0,
        total_steps=0,
        seconds_left=None,
        adapter_path=None,
        metrics=None,
        error_message=None,
        created_by="debug-user",
        base_model="default",
        attempt=0,
        cancel_requested=False,
    )


@app.post("/api/training/jobs")
async def create_job(request: CreateJob) -> JobReply:
    job = new_job(request)
    jobs[job.job_id] = job
    return reply(job, f"Training job created: {job.job_id}")
