import { open, readFile, type FileHandle } from 'node:fs/promises';
import type { WrittenPair } from './written-pairs.js';

/** What came of a passage: its pairs, or why there are none. */
export type Written = { pairs: WrittenPair[]; model: string } | { problem: string };

interface Line {
  key: string;
  written: Written;
}

const NEW_LINE = 10;

function isWritten(value: unknown): value is Written {
  if (typeof value !== 'object' || value === null) return false;
  return 'problem' in value || ('pairs' in value && Array.isArray(value.pairs));
}

/** Undefined for a line that a kill cut off. */
function lineOf(text: string): Line | undefined {
  try {
    const { key, written } = JSON.parse(text) as Partial<Line>;
    return typeof key === 'string' && isWritten(written) ? { key, written } : undefined;
  } catch {
    return undefined;
  }
}

async function linesOf(path: string): Promise<Line[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text.split('\n').flatMap((line) => lineOf(line) ?? []);
}

/** Answers of a model that were paid for, by what was asked: a build that is begun again does not ask again. */
export class KeptAnswers {
  readonly #known = new Map<string, Written>();

  private constructor(private readonly file: FileHandle) {}

  /**
   * @param path made where it is not there
   * @param others files of builds that came to nothing; what a model could not answer there is asked again
   */
  static async open(path: string, others: readonly string[]): Promise<KeptAnswers> {
    const answers = new KeptAnswers(await open(path, 'a+', 0o600));
    try {
      const before = (await Promise.all(others.map(linesOf))).flat().filter(({ written }) => 'pairs' in written);
      for (const { key, written } of [...before, ...(await linesOf(path))]) answers.#known.set(key, written);
      await answers.#endLine();
    } catch (error) {
      await answers.close();
      throw error;
    }
    return answers;
  }

  of(key: string): Written | undefined {
    return this.#known.get(key);
  }

  /** Durable when it resolves. */
  async keep(key: string, written: Written): Promise<void> {
    this.#known.set(key, written);
    await this.file.appendFile(`${JSON.stringify({ key, written } satisfies Line)}\n`);
    await this.file.datasync();
  }

  close(): Promise<void> {
    return this.file.close();
  }

  /** A kill in the middle of a line must not spoil the next one. */
  async #endLine(): Promise<void> {
    const { size } = await this.file.stat();
    if (size === 0) return;
    const { buffer } = await this.file.read(Buffer.alloc(1), 0, 1, size - 1);
    if (buffer[0] !== NEW_LINE) await this.file.appendFile('\n');
  }
}
