import { Injectable } from '@nestjs/common';
import { EmbedderUnavailable } from '../documents/embedder.port.js';
import { VectorSearchSpace } from '../documents/vector-search-space.port.js';
import { VectorStore } from '../documents/vector-store.port.js';
import type { Found } from './keyword-leg.js';
import type { Question } from './question.js';
import type { Scope } from './search-scope.js';

/** Finds chunks by meaning. */
@Injectable()
export class VectorLeg {
  constructor(
    private readonly store: VectorStore,
    private readonly spaces: VectorSearchSpace,
  ) {}

  /** @throws EmbedderUnavailable, StoreUnavailable */
  async find({ text }: Question, scope: Scope, limit: number, signal: AbortSignal): Promise<Found[]> {
    if (scope.documentIds?.length === 0) return [];
    const { space, embedder } = await this.spaces.searched();
    const [embedding] = await embedder.embed([text], 'query', signal);
    if (!embedding) throw new EmbedderUnavailable('the embedder answered no vector');
    const near = await this.store.nearest(space, {
      embedding,
      limit,
      readers: scope.readers,
      documentIds: scope.documentIds,
    });
    return near.map(({ chunkId, documentId, similarity }) => ({ chunkId, documentId, score: similarity }));
  }
}
