import { Injectable } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import { AppError } from '../../../kernel/errors.js';
import { Embedder, EmbedderUnavailable, type EmbeddingModel } from '../../documents/embedder.port.js';
import type { AuthenticatedRequest } from '../../security/principal.port.js';
import { packed, readEmbeddingsRequest } from './embeddings-request.js';
import { BodyMemory } from './body-memory.js';
import type { EmbeddingListDto } from './embeddings.dto.js';
import { IncomingBody } from './incoming-body.js';
import { noSuchModel } from './model-choice.js';

/** Vectors by the model that also searches documents, in OpenAI's shape. */
@Injectable()
export class EmbeddingsService {
  constructor(
    private readonly embedder: Embedder,
    private readonly settings: Settings,
    private readonly memory: BodyMemory,
  ) {}

  /** @throws AppError */
  async embed(request: AuthenticatedRequest): Promise<EmbeddingListDto> {
    const { model, texts, encoding, as } = readEmbeddingsRequest(await this.#json(request));
    const { name } = await this.#model();
    if (model !== name && model !== name.split('/').at(-1)) throw noSuchModel(model);
    const [vectors, counts] = await this.#asked(() =>
      Promise.all([this.embedder.embed(texts, as), this.embedder.countTokens(texts)]),
    );
    const tokens = counts.reduce((sum, count) => sum + count, 0);
    return {
      object: 'list',
      data: vectors.map((vector, index) => ({
        object: 'embedding',
        index,
        embedding: encoding === 'base64' ? packed(vector) : vector,
      })),
      model: name,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    };
  }

  async #json(request: AuthenticatedRequest): Promise<Record<string, unknown>> {
    const { maxBodyBytes: maxBytes } = this.settings.gateway;
    const body = new IncomingBody(request, { maxBytes, keepBytes: maxBytes, memory: this.memory });
    try {
      await body.complete();
      return body.json();
    } finally {
      body.release();
    }
  }

  #model(): Promise<EmbeddingModel> {
    return this.#asked(() => this.embedder.model());
  }

  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof EmbedderUnavailable) throw new AppError('unavailable', error.message);
      throw error;
    }
  }
}
