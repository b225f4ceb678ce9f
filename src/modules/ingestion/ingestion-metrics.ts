import { Injectable } from '@nestjs/common';
import { Counter, Registry } from 'prom-client';
import type { Published } from '../documents/document-publication.port.js';

/** Counts what came in; of this process. */
@Injectable()
export class IngestionMetrics {
  readonly #files: Counter<'status'>;
  readonly #chunks: Counter;
  readonly #characters: Counter;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#files = new Counter({
      name: 'documents_processed_total',
      help: 'Files that were read, by what became of them: published, or the reason they could not be read.',
      labelNames: ['status'],
      registers,
    });
    this.#chunks = new Counter({ name: 'documents_chunks_total', help: 'Chunks that were published.', registers });
    this.#characters = new Counter({
      name: 'documents_characters_total',
      help: 'Characters of text that were published.',
      registers,
    });
  }

  published({ chunks, characters }: Published): void {
    this.#files.inc({ status: 'published' });
    this.#chunks.inc(chunks);
    this.#characters.inc(characters);
  }

  failed(reason: string): void {
    this.#files.inc({ status: reason });
  }
}
