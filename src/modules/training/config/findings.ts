import { AppError, type Problem } from '../../../kernel/errors.js';
import { PathError } from '../../../kernel/safe-path.js';

const MOST_PROBLEMS = 100;

/** What was found wrong (`refuse`) and what will be different from what was asked (`warn`). */
export class Findings {
  readonly problems: Problem[] = [];
  readonly warnings: string[] = [];

  /** More problems than anyone reads: looking for further ones only costs time. */
  get full(): boolean {
    return this.problems.length >= MOST_PROBLEMS;
  }

  refuse(path: string, message: string): void {
    if (!this.full) this.problems.push({ path, message });
  }

  warn(message: string): void {
    this.warnings.push(message);
  }

  /** The outcome of a look at the disk; a refused path becomes a problem of the key that names it. */
  async path<T>(key: string, look: Promise<T>): Promise<T | undefined> {
    try {
      return await look;
    } catch (error) {
      if (!(error instanceof PathError)) throw error;
      this.refuse(key, error.message);
      return undefined;
    }
  }

  /** @throws AppError naming every problem, if there is one */
  end(): void {
    if (this.problems.length === 0) return;
    const count = this.problems.length === 1 ? '1 problem' : `${this.problems.length} problems`;
    const list = this.problems.map(({ path, message }) => `${path}: ${message}`).join('; ');
    throw new AppError('invalid', `The configuration has ${count}: ${list}`, this.problems);
  }
}
