import { RequestRefused } from '../openai/openai-server.js';
import type { EmbeddingServer } from './embedding-server.js';
import { partsOf } from './request-parts.js';
import { vectorsOf } from './server-answers.js';
import { halvesOf, type TextWindow } from './text-windows.js';
import { weightedMean } from './vectors.js';

const PART = { texts: 64, characters: 200_000 };
const TOO_LONG_STATUSES = [400, 413, 422];
const TOO_LONG = /token|too long|length|context|maximum|too large/i;

const isTooLong = (error: unknown): error is RequestRefused =>
  error instanceof RequestRefused && TOO_LONG_STATUSES.includes(error.status) && TOO_LONG.test(error.detail);

/** Vectors of windows, in requests of a size that servers take. */
export class WindowVectors {
  constructor(
    private readonly server: EmbeddingServer,
    private readonly model: string,
  ) {}

  /** Unit vectors in order. @throws RequestRefused, EmbedderUnavailable */
  async of(windows: readonly TextWindow[], prefix: string, signal: AbortSignal): Promise<number[][]> {
    const vectors: number[][] = [];
    let at = 0;
    const texts = windows.map(({ text }) => text);
    for (const { length } of partsOf(texts, PART)) {
      const own = windows.slice(at, (at += length));
      for (const vector of await this.#ofPart(own, prefix, signal)) vectors.push(vector);
    }
    return vectors;
  }

  /** A server knows better than an estimate what is too long: it gets each alone then, and that one in halves. */
  async #ofPart(windows: readonly TextWindow[], prefix: string, signal: AbortSignal): Promise<number[][]> {
    try {
      return await this.#ask(windows, prefix, signal);
    } catch (error) {
      const [only, ...others] = windows;
      if (!isTooLong(error) || !only) throw error;
      if (others.length === 0) return [await this.#ofHalves(only, prefix, { signal, error })];
      const vectors: number[][] = [];
      for (const window of windows) vectors.push(...(await this.#ofPart([window], prefix, signal)));
      return vectors;
    }
  }

  async #ofHalves(
    window: TextWindow,
    prefix: string,
    { signal, error }: { signal: AbortSignal; error: Error },
  ): Promise<number[]> {
    const halves = halvesOf(window);
    if (!halves) throw error;
    const parts = [];
    for (const half of halves) {
      const [vector = []] = await this.#ofPart([half], prefix, signal);
      parts.push({ vector, weight: half.tokens });
    }
    return weightedMean(parts);
  }

  async #ask(windows: readonly TextWindow[], prefix: string, signal: AbortSignal): Promise<number[][]> {
    const input = windows.map(({ text }) => prefix + text);
    const answer = await this.server.embeddings({ model: this.model, input, encoding_format: 'float' }, signal);
    return vectorsOf(answer, input.length);
  }
}
