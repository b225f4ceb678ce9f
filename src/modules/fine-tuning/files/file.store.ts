import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { inTransaction, rowsOf, type Sql } from '../../../kernel/transaction.js';
import type { OpenAiFile } from './openai-file.js';

export type NewFile = Omit<OpenAiFile, 'seq' | 'created_at' | 'expires_at'> & { expiresInSeconds: number | null };

export interface FilePage {
  /** null: of everybody. */
  owner: string | null;
  limit: number;
  order: 'asc' | 'desc';
  purpose: string | undefined;
}

const INSERT = `
INSERT INTO openai_files (id, filename, purpose, bytes, sha256, path, created_by, expires_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(secs => $8))
  ON CONFLICT (id) DO NOTHING RETURNING *`;

/** @returns undefined where the id is there already */
export async function insertFile(sql: Sql, file: NewFile): Promise<OpenAiFile | undefined> {
  const { id, filename, purpose, bytes, sha256, path, created_by, expiresInSeconds } = file;
  const values = [id, filename, purpose, bytes, sha256, path, created_by, expiresInSeconds];
  return (await rowsOf<OpenAiFile>(sql, INSERT, values))[0];
}

const VISIBLE = 'deleted_at IS NULL AND (expires_at IS NULL OR expires_at > now())';

/** The table behind /v1/files. */
@Injectable()
export class FileStore {
  constructor(private readonly source: DataSource) {}

  /** @param owner null: of anybody */
  async find(id: string, owner: string | null, sql: Sql = this.source): Promise<OpenAiFile | undefined> {
    const [file] = await rowsOf<OpenAiFile>(
      sql,
      `SELECT * FROM openai_files WHERE id = $1 AND ($2::text IS NULL OR created_by = $2) AND ${VISIBLE}`,
      [id, owner],
    );
    return file;
  }

  /** Where a deleted file stood the page goes on, so that a client may delete what it pages through. */
  async place(id: string, owner: string | null): Promise<number | undefined> {
    const [file] = await rowsOf<{ seq: number }>(
      this.source,
      'SELECT seq FROM openai_files WHERE id = $1 AND ($2::text IS NULL OR created_by = $2)',
      [id, owner],
    );
    return file?.seq;
  }

  /** One file more than `limit` where there are more. */
  page({ owner, limit, order, purpose }: FilePage, behind: number | undefined): Promise<OpenAiFile[]> {
    const [sign, direction] = order === 'asc' ? ['>', 'ASC'] : ['<', 'DESC'];
    return rowsOf<OpenAiFile>(
      this.source,
      `SELECT * FROM openai_files WHERE ${VISIBLE} AND ($1::text IS NULL OR created_by = $1)
          AND ($2::text IS NULL OR purpose = $2) AND ($3::bigint IS NULL OR seq ${sign} $3)
        ORDER BY seq ${direction} LIMIT $4`,
      [owner, purpose ?? null, behind ?? null, limit + 1],
    );
  }

  /** Writes the file with whatever belongs into the same transaction. */
  async add(file: NewFile, beside: (sql: Sql) => Promise<void>): Promise<OpenAiFile> {
    return inTransaction(this.source, async (sql) => {
      const row = await insertFile(sql, file);
      if (!row) throw new Error(`the id ${file.id} is taken`);
      await beside(sql);
      return row;
    });
  }

  /**
   * Marks a file as deleted.
   * @param check runs under the file's lock, which new jobs wait for; what it throws keeps the file
   * @returns undefined where it is gone already
   */
  async remove(id: string, check: (sql: Sql) => Promise<void>): Promise<OpenAiFile | undefined> {
    return inTransaction(this.source, async (sql) => {
      const [locked] = await rowsOf<OpenAiFile>(
        sql,
        `SELECT * FROM openai_files WHERE id = $1 AND ${VISIBLE} FOR UPDATE`,
        [id],
      );
      if (!locked) return undefined;
      await check(sql);
      await sql.query('UPDATE openai_files SET deleted_at = now() WHERE id = $1', [id]);
      return locked;
    });
  }

  /** Files whose time is over and that no job needs any more are deleted ones. */
  async expire(limit: number): Promise<void> {
    await this.source.query(
      `UPDATE openai_files SET deleted_at = now() WHERE id IN (
        SELECT id FROM openai_files f WHERE deleted_at IS NULL AND expires_at < now()
          AND NOT EXISTS (SELECT FROM openai_jobs WHERE ended_at IS NULL AND (training_file = f.id OR validation_file = f.id))
        ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)`,
      [limit],
    );
  }

  /** Those of the ids whose bytes must stay. */
  async living(ids: readonly string[]): Promise<Set<string>> {
    const rows = await rowsOf<{ id: string }>(
      this.source,
      'SELECT id FROM openai_files WHERE id = ANY ($1) AND deleted_at IS NULL',
      [ids],
    );
    return new Set(rows.map(({ id }) => id));
  }
}
