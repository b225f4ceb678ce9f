import { Injectable } from '@nestjs/common';
import { AppError } from '../../../kernel/errors.js';
import { rowsOf, type Sql } from '../../../kernel/transaction.js';

const SHOWN_JOBS = 5;

/** Which jobs still need a file. */
@Injectable()
export class FileUse {
  /** @throws AppError `conflict` naming the jobs */
  async mustBeFree(sql: Sql, fileId: string): Promise<void> {
    const jobs = await rowsOf<{ id: string }>(
      sql,
      `SELECT id FROM openai_jobs WHERE ended_at IS NULL AND (training_file = $1 OR validation_file = $1)
        ORDER BY seq LIMIT $2`,
      [fileId, SHOWN_JOBS],
    );
    if (jobs.length === 0) return;
    const names = jobs.map(({ id }) => id).join(', ');
    throw new AppError(
      'conflict',
      `The file ${fileId} is needed by ${names}; cancel it, or wait for its end`,
      [{ path: 'file_id', message: 'is needed by a job' }],
      // OpenAI's clients repeat what was answered 409; here that would only say the same again.
      { 'x-should-retry': 'false' },
    );
  }
}
