"""The job API as FastAPI users write it: async routes, SQLAlchemy 2, asyncpg. PEER_DATABASE names the database."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI, HTTPException
from shapes import CreateJob, JobReply, reply
from sqlalchemy import BigInteger, FetchedValue, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

POOL_SIZE = 12

engine = create_async_engine(os.environ["PEER_DATABASE"], pool_size=POOL_SIZE, max_overflow=0)
Session = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()

moment = TIMESTAMP(timezone=True)
by_database = {"server_default": FetchedValue()}


class Base(DeclarativeBase):
    type_annotation_map = {str: Text, datetime: moment, dict[str, Any]: JSONB, list[str]: ARRAY(Text)}


class Job(Base):
    """The columns that the API shows; the others of the table keep their defaults."""

    __tablename__ = "training_jobs"
    __table_args__ = {"schema": "peer"}

    job_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    seq: Mapped[int] = mapped_column(BigInteger, **by_database)
    trainer_type: Mapped[str]
    status: Mapped[str]
    config_path: Mapped[str]
    dataset_path: Mapped[str | None]
    output_dir: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(**by_database)
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    current_epoch: Mapped[float] = mapped_column(**by_database)
    total_epochs: Mapped[float]
    progress_percent: Mapped[float] = mapped_column(**by_database)
    current_step: Mapped[int] = mapped_column(**by_database)
    total_steps: Mapped[int] = mapped_column(**by_database)
    seconds_left: Mapped[float | None]
    adapter_path: Mapped[str | None]
    metrics: Mapped[dict[str, Any] | None]
    error_message: Mapped[str | None]
    priority: Mapped[int] = mapped_column(SmallInteger)
    tags: Mapped[list[str]]
    created_by: Mapped[str]
    base_model: Mapped[str]
    attempt: Mapped[int] = mapped_column(**by_database)
    cancel_requested_at: Mapped[datetime | None]

    @property
    def cancel_requested(self) -> bool:
        return self.cancel_requested_at is not None


async def session() -> AsyncIterator[AsyncSession]:
    async with Session() as opened:
        yield opened


Database = Annotated[AsyncSession, Depends(session)]


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "healthy"}


@app.get("/api/training/jobs/{job_id}")
async def get_job(job_id: UUID, database: Database) -> JobReply:
    job = await database.get(Job, job_id)
    if job is None:
        raise HTTPException(404, f"Job not found: {job_id}")
    return reply(job, "Job details retrieved")


@app.post("/api/training/jobs")
async def create_job(request: CreateJob, database: Database) -> JobReply:
    job = Job(
        **request.model_dump(), status="pending", output_dir="models", created_by="debug-user", base_model="default", total_epochs=3.0
    )
    database.add(job)
    await database.commit()
    return reply(job, f"Training job created: {job.job_id}")
