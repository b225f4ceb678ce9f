import { RequestRefused } from '../openai/openai-server.js';
import type { EmbeddingServer } from './embedding-server.js';
import { partsOf } from './request-parts.js';
import { tokenizeBody, tokenizedBy, type TokenizeWay } from './server-answers.js';
import { estimateTokens } from './text-windows.js';

const PART = { texts: 256, characters: 500_000 };
const AT_ONCE = 8;
const PROBE = 'Wort';

/** Counts tokens where the server can, and estimates where it cannot. */
export class ServerTokenizer {
  #way: Promise<TokenizeWay | 'none'> | undefined;

  constructor(
    private readonly server: EmbeddingServer,
    private readonly model: string,
  ) {}

  async count(texts: readonly string[], signal: AbortSignal): Promise<number[]> {
    const way = await this.#found(signal);
    if (way === 'none') return texts.map(estimateTokens);
    const parts = way === 'many' ? partsOf(texts, PART) : texts.map((text) => [text]);
    const counts: number[] = [];
    for (let at = 0; at < parts.length; at += AT_ONCE) {
      const several = await Promise.all(parts.slice(at, at + AT_ONCE).map((part) => this.#ask(part, signal)));
      counts.push(...several.flat());
    }
    return counts;
  }

  /** undefined: this server does not count. */
  async countExactly(text: string, signal: AbortSignal): Promise<number | undefined> {
    return (await this.#found(signal)) === 'none' ? undefined : (await this.#ask([text], signal))[0];
  }

  /** Looked for once; a server that cannot be reached is asked again. */
  async #found(signal: AbortSignal): Promise<TokenizeWay | 'none'> {
    this.#way ??= this.#look(signal);
    const looking = this.#way;
    try {
      return await looking;
    } catch (error) {
      if (this.#way === looking) this.#way = undefined;
      throw error;
    }
  }

  async #look(signal: AbortSignal): Promise<TokenizeWay | 'none'> {
    try {
      return tokenizedBy(await this.server.tokenize(tokenizeBody(this.model, [PROBE]), signal))?.way ?? 'none';
    } catch (error) {
      if (error instanceof RequestRefused) return 'none';
      throw error;
    }
  }

  async #ask(texts: readonly string[], signal: AbortSignal): Promise<number[]> {
    const answer = await this.server.tokenize(tokenizeBody(this.model, texts), signal);
    const counts = tokenizedBy(answer)?.counts ?? [];
    if (counts.length === texts.length) return counts;
    throw new RequestRefused(200, `/tokenize answers ${counts.length} counts for ${texts.length} texts`);
  }
}
