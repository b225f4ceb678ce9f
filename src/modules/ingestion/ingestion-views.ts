import type { Pending } from '../documents/settled-documents.port.js';
import type { IngestionFileDto, IngestionJobDto, UploadDto } from './ingestion.dto.js';
import type { FileRow, JobRow, UploadRow } from './ingestion.entity.js';

/** The shape of a reply, as a plain object. */
type Plain<T> = { [K in keyof T]: T[K] };

const percent = (part: number, whole: number): number => (whole === 0 ? 100 : Math.floor((100 * part) / whole));

export function jobView(job: JobRow): Plain<IngestionJobDto> {
  return {
    job_id: job.job_id,
    status: job.status,
    created_at: job.created_at.toISOString(),
    updated_at: job.updated_at.toISOString(),
    completed_at: job.completed_at?.toISOString() ?? null,
    file_count: job.file_count,
    processed_files: job.processed_files,
    failed_files: job.failed_files,
    progress_percent: percent(job.processed_files, job.file_count),
    error_message: job.error_message,
    kind: job.kind,
    created_by: job.created_by,
    readers: job.readers,
    tags: job.tags,
  };
}

export function fileView(file: FileRow, pending: Pending[]): IngestionFileDto {
  return {
    file_id: file.file_id,
    filename: file.name,
    status: file.status,
    size_bytes: file.bytes,
    sha256: file.sha256,
    document_id: file.document_id,
    version: file.version,
    chunks: file.chunks,
    characters: file.characters,
    attempts: file.attempts,
    progress: file.progress,
    reason: file.reason,
    error_message: file.error_message,
    warnings: file.warnings,
    pending,
    updated_at: file.updated_at.toISOString(),
  };
}

export const chunksIn = ({ bytes, chunk_bytes }: Pick<UploadRow, 'bytes' | 'chunk_bytes'>): number =>
  Math.ceil(bytes / chunk_bytes);

export function uploadView(upload: UploadRow): Plain<UploadDto> {
  const total = chunksIn(upload);
  return {
    upload_id: upload.upload_id,
    filename: upload.filename,
    status: upload.status,
    total_size: upload.bytes,
    chunk_size: upload.chunk_bytes,
    total_chunks: total,
    received_chunks: upload.received,
    missing_chunks: total - upload.received.length,
    progress_percent: percent(upload.received.length, total),
    job_id: upload.job_id,
  };
}
