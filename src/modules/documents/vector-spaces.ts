import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Log } from '../../kernel/log.js';
import { inTransaction, rowsOf } from '../../kernel/transaction.js';
import { Embedder, EmbedderUnavailable, type EmbeddingModel } from './embedder.port.js';
import { PastEmbedders, type EmbedderSetting } from './past-embedders.port.js';
import { StoreUnavailable } from './replica.port.js';
import { RetiredSpaces } from './retired-spaces.js';
import { type SearchedSpace, VectorSearchSpace } from './vector-search-space.port.js';
import { VectorStore, type VectorSpace } from './vector-store.port.js';

interface SpaceRow {
  space_id: string;
  model: string;
  dimension: number;
  state: 'building' | 'serving';
  opened_with: EmbedderSetting;
  is_target: boolean;
}

const asSpace = ({ space_id, dimension }: SpaceRow): VectorSpace => ({ id: space_id, dimension });

/** As JSON keeps it: without what is undefined. */
const asStored = (setting: EmbedderSetting): unknown => JSON.parse(JSON.stringify(setting));

/** Names a space after its model and how it is asked; two of them never share one. */
export function spaceIdOf(
  { name, dimension }: Pick<EmbeddingModel, 'name' | 'dimension'>,
  setting: EmbedderSetting,
): string {
  const digest = createHash('sha256').update(JSON.stringify(setting)).digest('hex').slice(0, 6);
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .slice(-24);
  return `${slug || 'model'}_${dimension}_${digest}`;
}

/**
 * Which vectors are written and which are searched. A new model gets a space of its own; the old one is searched until the
 * new one holds every document.
 */
@Injectable()
export class VectorSpaces extends VectorSearchSpace {
  readonly #retired: RetiredSpaces;
  #target: VectorSpace | undefined;

  constructor(
    private readonly source: DataSource,
    private readonly embedder: Embedder,
    private readonly vectors: VectorStore,
    private readonly past: PastEmbedders,
    private readonly log: Log,
  ) {
    super();
    this.#retired = new RetiredSpaces(source, vectors, log);
  }

  /** The space of the configured model; made where it is new. @throws EmbedderUnavailable, StoreUnavailable */
  async target(): Promise<VectorSpace> {
    const model = await this.embedder.model();
    const id = spaceIdOf(model, this.past.current);
    if (this.#target?.id === id) return this.#target;
    const space = { id, dimension: model.dimension };
    await this.#retired.revive(id);
    await this.vectors.open(space);
    await this.#register(space, model.name);
    this.#target = space;
    return space;
  }

  /** Questions go to the space that holds every document, embedded by its own model. */
  async searched(): Promise<SearchedSpace> {
    const [serving] = await rowsOf<SpaceRow>(this.source, `SELECT * FROM search_space WHERE state = 'serving' LIMIT 1`);
    if (serving && !this.#isCurrent(serving))
      return { space: asSpace(serving), embedder: this.past.open(serving.opened_with) };
    return { space: await this.target(), embedder: this.embedder };
  }

  #isCurrent({ opened_with }: SpaceRow): boolean {
    return isDeepStrictEqual(opened_with, asStored(this.past.current));
  }

  /** The space that documents were last embedded in, whether its model is there now or not; undefined: none ever was. */
  async lastTarget(): Promise<VectorSpace | undefined> {
    const [row] = await rowsOf<SpaceRow>(this.source, 'SELECT * FROM search_space WHERE is_target');
    return row && asSpace(row);
  }

  async modelName(): Promise<string | null> {
    const [row] = await rowsOf<SpaceRow>(this.source, `SELECT * FROM search_space WHERE state = 'serving' LIMIT 1`);
    return row?.model ?? null;
  }

  /** The target holds everything: it is searched from now on, and what was searched before is removed. */
  async complete(): Promise<void> {
    const target = await this.#wholeTarget();
    if (target) await this.#serveFrom(target);
    await this.#retired.drop();
  }

  async #serveFrom(target: VectorSpace): Promise<void> {
    await inTransaction(this.source, async (sql) => {
      const rows = await rowsOf<SpaceRow>(sql, 'SELECT * FROM search_space ORDER BY space_id FOR UPDATE');
      const isServing = rows.some(({ space_id, state }) => space_id === target.id && state === 'serving');
      if (isServing && rows.length === 1) return;
      await sql.query(`UPDATE search_space SET state = 'serving' WHERE space_id = $1`, [target.id]);
      const others = rows.map(({ space_id }) => space_id).filter((id) => id !== target.id);
      await sql.query('DELETE FROM search_space WHERE space_id = ANY ($1)', [others]);
      await this.#retired.retire(sql, others);
    });
  }

  /** Undefined where there is nothing to do, or where the target is new and yet to be filled. */
  async #wholeTarget(): Promise<VectorSpace | undefined> {
    const rows = await rowsOf<SpaceRow>(this.source, 'SELECT * FROM search_space');
    const [only] = rows;
    if (!only || (rows.length === 1 && only.is_target && this.#isCurrent(only))) return undefined;
    const before = rows.find(({ is_target }) => is_target)?.space_id;
    try {
      const target = await this.target();
      return target.id === before ? target : undefined;
    } catch (error) {
      if (error instanceof EmbedderUnavailable || error instanceof StoreUnavailable) return undefined;
      throw error;
    }
  }

  /** Where the target is another than before, every document is to be in it; the first space of all serves at once. */
  async #register(space: VectorSpace, model: string): Promise<void> {
    await inTransaction(this.source, async (sql) => {
      await sql.query(
        `INSERT INTO search_space (space_id, model, dimension, opened_with, state)
          SELECT $1, $2, $3, $4::jsonb, CASE WHEN EXISTS (SELECT FROM search_space) THEN 'building' ELSE 'serving' END
          ON CONFLICT (space_id) DO NOTHING`,
        [space.id, model, space.dimension, JSON.stringify(this.past.current)],
      );
      const changed = await rowsOf(
        sql,
        `UPDATE search_space SET is_target = (space_id = $1) WHERE is_target <> (space_id = $1) RETURNING space_id`,
        [space.id],
      );
      if (changed.length === 0) return;
      await sql.query(
        `INSERT INTO documents_replica (store, document_id) SELECT $1, document_id FROM documents_document
          ON CONFLICT (store, document_id) DO UPDATE SET wanted = documents_replica.wanted + 1, next_at = now()`,
        [`vectors:${this.vectors.name}`],
      );
      this.log.info('the documents are embedded by this model from now on', { model, space: space.id });
    });
  }
}
