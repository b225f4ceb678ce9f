import { setImmediate as turn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { estimateTokens } from './token-estimate.js';
import { Embedder, EmbedderUnavailable } from '../documents/embedder.port.js';
import type { ChunkSizes } from './document-making.js';

/** Tokens of the prefix, the special tokens and the headings that are embedded with a chunk. */
const ROOM_TOKENS = 60;

/** Between two batches others get their turn: a large document is counted for seconds. */
async function estimate(texts: string[]): Promise<number[]> {
  await turn();
  return texts.map(estimateTokens);
}

/** How large chunks are: as the settings say, within what the embedding model takes, counted by its own tokenizer. */
@Injectable()
export class ChunkSizing {
  constructor(
    private readonly settings: Settings,
    private readonly embedder: Embedder,
  ) {}

  /** While there is no model, tokens are estimated on the safe side. */
  async sizes(): Promise<ChunkSizes> {
    const { chunkTokens, overlapTokens } = this.settings.ingestion;
    try {
      const { maxTokens } = await this.embedder.model();
      const most = Math.max(32, Math.min(chunkTokens, maxTokens - ROOM_TOKENS));
      const overlap = Math.min(overlapTokens, Math.floor(most / 4));
      return { maxTokens: most, overlapTokens: overlap, countTokens: (texts) => this.embedder.countTokens(texts) };
    } catch (error) {
      if (!(error instanceof EmbedderUnavailable)) throw error;
      return { maxTokens: chunkTokens, overlapTokens, countTokens: estimate };
    }
  }
}
