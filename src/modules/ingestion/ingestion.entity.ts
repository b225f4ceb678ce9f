import type { FileStatus, IngestionStatus } from './file-state.js';

/** Rows as PostgreSQL answers them. */
export interface JobRow {
  job_id: string;
  seq: number;
  kind: 'files' | 'directory' | 'chunked' | 'text';
  scan_id: string | null;
  status: IngestionStatus;
  created_by: string;
  readers: string[];
  tags: string[];
  file_count: number;
  processed_files: number;
  failed_files: number;
  error_message: string | null;
  /** Failed files were tried again. */
  recovered: boolean;
  created_at: Date;
  updated_at: Date;
  completed_at: Date | null;
}

export interface FileRow {
  file_id: string;
  job_id: string;
  name: string;
  path: string | null;
  bytes: number;
  sha256: string;
  status: FileStatus;
  /** Readings that began. */
  attempts: number;
  /** Of those, the ones that ended with the application. */
  crashes: number;
  reason: string | null;
  error_message: string | null;
  document_id: string | null;
  version: number | null;
  chunks: number;
  characters: number;
  warnings: string[];
  progress: string | null;
  depth: number;
  updated_at: Date;
}

export interface ScanRow {
  scan_id: string;
  directory_path: string;
  chunk_size: number;
  status: 'scanning' | 'extracting' | 'creating_jobs' | 'completed' | 'error' | 'cancelled';
  files_found: number;
  error: string | null;
  created_by: string;
  readers: string[];
  tags: string[];
  created_at: Date;
  ended_at: Date | null;
}

export interface UploadRow {
  upload_id: string;
  filename: string;
  bytes: number;
  chunk_bytes: number;
  sha256: string | null;
  received: number[];
  status: 'receiving' | 'finalizing' | 'completed' | 'aborted';
  job_id: string | null;
  created_by: string;
  readers: string[];
  tags: string[];
  created_at: Date;
  updated_at: Date;
}
