import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Log } from '../../kernel/log.js';
import { inTransaction, rowsOf } from '../../kernel/transaction.js';
import { Embedder, EmbedderUnavailable, type EmbeddingModel } from './embedder.port.js';
import { VectorSearchSpace } from './vector-search-space.port.js';
import { VectorStore, type VectorSpace } from './vector-store.port.js';

interface SpaceRow {
  space_id: string;
  model: string;
  dimension: number;
  state: 'building' | 'serving' | 'retired';
}

const asSpace = ({ space_id, dimension }: SpaceRow): VectorSpace => ({ id: space_id, dimension });

/** Names a space after its model; two models never share one. */
export function spaceIdOf({ name, dimension }: Pick<EmbeddingModel, 'name' | 'dimension'>): string {
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .slice(-30);
  return `${slug || 'model'}_${dimension}`;
}

/**
 * Which vectors are written and which are searched. A new model gets a space of its own; the old one is searched until the
 * new one holds every document.
 */
@Injectable()
export class VectorSpaces extends VectorSearchSpace {
  #target: VectorSpace | undefined;

  constructor(
    private readonly source: DataSource,
    private readonly embedder: Embedder,
    private readonly vectors: VectorStore,
    private readonly log: Log,
  ) {
    super();
  }

  /** The space of the configured model; made where it is new. @throws EmbedderUnavailable, StoreUnavailable */
  async target(): Promise<VectorSpace> {
    const model = await this.embedder.model();
    const id = spaceIdOf(model);
    if (this.#target?.id === id) return this.#target;
    const space = { id, dimension: model.dimension };
    await this.vectors.open(space);
    await this.#register(space, model.name);
    this.#target = space;
    return space;
  }

  /** Questions go to the space that holds every document; they can only be embedded by its own model. */
  async searched(): Promise<VectorSpace> {
    const target = await this.target();
    const [serving] = await rowsOf<SpaceRow>(this.source, `SELECT * FROM search_space WHERE state = 'serving' LIMIT 1`);
    if (!serving || serving.space_id === target.id) return target;
    throw new EmbedderUnavailable(
      `the documents are being embedded again by the new model; those of ${serving.model} wait for it to be complete`,
    );
  }

  async modelName(): Promise<string | null> {
    const [row] = await rowsOf<SpaceRow>(this.source, `SELECT * FROM search_space WHERE state = 'serving' LIMIT 1`);
    return row?.model ?? null;
  }

  /** The target holds everything: it is searched from now on, and what was searched before is removed. */
  async complete(): Promise<void> {
    const target = this.#target;
    if (!target) return;
    const retired = await inTransaction(this.source, async (sql) => {
      const rows = await rowsOf<SpaceRow>(sql, 'SELECT * FROM search_space ORDER BY space_id FOR UPDATE');
      if (rows.find(({ space_id }) => space_id === target.id)?.state !== 'building') return [];
      await sql.query(`UPDATE search_space SET state = 'serving' WHERE space_id = $1`, [target.id]);
      const others = rows.filter(({ space_id }) => space_id !== target.id);
      await sql.query('DELETE FROM search_space WHERE space_id = ANY ($1)', [others.map(({ space_id }) => space_id)]);
      return others;
    });
    for (const { space_id } of retired) {
      await this.vectors.drop(space_id);
      this.log.info('the vectors of an earlier model were removed', { space: space_id });
    }
  }

  /** A space that is new to the database is filled with every document; the first one serves at once. */
  async #register(space: VectorSpace, model: string): Promise<void> {
    await inTransaction(this.source, async (sql) => {
      const made = await rowsOf(
        sql,
        `INSERT INTO search_space (space_id, model, dimension, state)
          SELECT $1, $2, $3, CASE WHEN EXISTS (SELECT FROM search_space) THEN 'building' ELSE 'serving' END
          ON CONFLICT (space_id) DO NOTHING RETURNING space_id`,
        [space.id, model, space.dimension],
      );
      if (made.length === 0) return;
      const key = `vectors:${this.vectors.name}`;
      await sql.query(
        `INSERT INTO documents_replica (store, document_id) SELECT $1, document_id FROM documents_document
          ON CONFLICT (store, document_id) DO UPDATE SET wanted = documents_replica.wanted + 1, next_at = now()`,
        [key],
      );
      this.log.info('a new embedding model: all documents are embedded in the background', { model, space: space.id });
    });
  }
}
