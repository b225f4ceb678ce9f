import { EventEmitter } from 'node:events';
import { Injectable } from '@nestjs/common';

/** Tells the loops of this process that a document waits for its stores, or that a store has caught up. */
@Injectable()
export class DocumentNews {
  readonly #events = new EventEmitter<{ changed: [string]; settled: [string]; removed: [string[]] }>();

  changed(documentId: string): void {
    this.#events.emit('changed', documentId);
  }

  settled(documentId: string): void {
    this.#events.emit('settled', documentId);
  }

  /** Files of these hashes belong to one document less. */
  removed(hashes: string[]): void {
    this.#events.emit('removed', hashes);
  }

  onRemoved(listener: (hashes: string[]) => void): () => void {
    this.#events.on('removed', listener);
    return () => void this.#events.off('removed', listener);
  }

  on(event: 'changed' | 'settled', listener: (documentId: string) => void): () => void {
    this.#events.on(event, listener);
    return () => void this.#events.off(event, listener);
  }
}
