import type { DataSource } from 'typeorm';
import { JsonbDocuments } from '../../src/adapters/documents/jsonb-documents.js';
import { PgvectorStore } from '../../src/adapters/vectors/pgvector-store.js';
import type { VectorStore } from '../../src/modules/documents/vector-store.port.js';
import { Random } from '../fixtures/random.js';
import { postgresPlace } from '../fixtures/stores/postgres-place.js';
import type { Place } from '../fixtures/stores/replica-contract.js';
import { documentOf } from '../fixtures/stores/stored-documents.js';
import { vectorStoreContract, unit } from '../fixtures/stores/vector-contract.js';
import { runSql, TestDatabases } from '../fixtures/test-database.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(180_000);

describe('vectors in pgvector', () => {
  let databases: TestDatabases;
  let place: Place<VectorStore> & { source: DataSource };

  beforeAll(async () => {
    databases = await TestDatabases.open();
    place = await postgresPlace(databases, (source, timeoutMs) => new PgvectorStore(source, timeoutMs));
  });
  afterAll(() => databases.close());

  vectorStoreContract(() => place);

  it.each([
    [256, 'halfvec'],
    [1536, 'halfvec'],
    [3072, 'halfvec'],
    [4000, 'halfvec'],
    [4096, 'vector'],
  ])('holds vectors of %i numbers as %s', async (dimension, type) => {
    const space = { id: `wide_${dimension}`, dimension };
    const document = documentOf('breit', { chunks: [{}, {}, {}] });
    const random = new Random(dimension);
    const vectors = new Map(document.chunks.map(({ chunkId }) => [chunkId, unit(dimension, random)]));
    await place.store.open(space);
    await place.store.put(space, document, vectors);
    const [wanted = '', embedding = []] = [...vectors][1] ?? [];
    const [first] = await place.store.nearest(space, { embedding, limit: 2, readers: null, documentIds: null });
    expect(first).toMatchObject({ chunkId: wanted, similarity: expect.closeTo(1, 3) });
    const column = `SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attname = 'embedding' AND attrelid = $1::regclass`;
    expect(await place.source.query(column, [`store_vectors_${space.id}`])).toEqual([
      { type: `${type}(${dimension})` },
    ]);
    await place.store.drop(space.id);
  });

  it('walks its index where many rows match, and finds nearly what an exact search finds', async () => {
    const space = { id: 'many', dimension: 16 };
    const random = new Random(11);
    await place.store.open(space);
    const vectors = new Map<string, number[]>();
    const groups = ['*', 'role:trainer', '*', '*'];
    for (const [n, key] of groups.entries()) {
      const document = documentOf(`Band ${n}`, { readers: [key], chunks: Array(4200).fill({}) });
      const own = new Map(document.chunks.map(({ chunkId }) => [chunkId, unit(16, random)]));
      await place.store.put(space, document, own);
      if (key === '*') own.forEach((vector, id) => vectors.set(id, vector));
    }
    let hits = 0;
    for (let round = 0; round < 20; round += 1) {
      const embedding = unit(16, random);
      const found = await place.store.nearest(space, { embedding, limit: 10, readers: ['*'], documentIds: null });
      const exact = new Set(nearestOf(vectors, embedding, 10));
      expect(found.length).toBe(10);
      expect(found.map(({ similarity }) => similarity)).toEqual(
        found.map(({ similarity }) => similarity).toSorted((a, b) => b - a),
      );
      hits += found.filter(({ chunkId }) => exact.has(chunkId)).length;
    }
    expect(hits / 200).toBeGreaterThan(0.95);
    const walks = `SELECT idx_scan AS walks FROM pg_stat_user_indexes WHERE indexrelname = 'store_nearest_many'`;
    await eventually('the walks are counted', async () => {
      const [row] = await place.source.query<{ walks: number }[]>(walks);
      return row && row.walks >= 20;
    });
    await place.store.drop(space.id);
  });

  it('lets the role of the application make spaces, and nothing else', async () => {
    await expect(place.source.query('CREATE TABLE store_vectors_mine (id integer)')).rejects.toThrow(
      'permission denied',
    );
    for (const call of [`store_open_space('x; y', 3)`, `store_open_space('x', 0)`, `store_open_space('x', 16001)`])
      await expect(place.source.query(`SELECT ${call}`)).rejects.toThrow(/violates check constraint/);
    await expect(place.source.query('SELECT store_install_pgvector()')).rejects.toThrow('permission denied');
    for (let n = 0; n < 63; n += 1) await place.source.query(`SELECT store_open_space('filler_${n}', 3)`);
    await expect(place.store.open({ id: 'one_too_many', dimension: 3 })).rejects.toThrow(/64 spaces/);
    for (let n = 0; n < 63; n += 1) await place.store.drop(`filler_${n}`);
  });

  it('says what to install where the database has no pgvector, while all else works', async () => {
    const database = 'clara_test_without_vector';
    await runSql(databases.admin, `CREATE DATABASE ${database} TEMPLATE template0`);
    const source = await databases.source({ ...databases.admin, database });
    const store = new PgvectorStore(source);
    const words = /has no pgvector; install pgvector 0\.8 or newer .*CREATE EXTENSION vector/;
    await expect(store.check()).rejects.toThrow(words);
    await expect(store.open({ id: 'x', dimension: 3 })).rejects.toThrow(words);
    expect(await store.holdings(null, 10)).toEqual([]);
    await store.remove(documentOf('x').documentId);
    const documents = new JsonbDocuments(source);
    await documents.replace(documentOf('x'));
    expect(await documents.read(documentOf('x').documentId)).toEqual(documentOf('x'));
    await source.destroy();
    await runSql(databases.admin, `DROP DATABASE ${database} WITH (FORCE)`);
  });
});

function nearestOf(vectors: ReadonlyMap<string, number[]>, to: number[], limit: number): string[] {
  const cosine = (vector: number[]): number => vector.reduce((sum, number, n) => sum + number * (to[n] ?? 0), 0);
  const scored = [...vectors].map(([id, vector]) => ({ id, score: cosine(vector) }));
  return scored
    .toSorted((a, b) => b.score - a.score)
    .slice(0, limit)
    .map(({ id }) => id);
}
