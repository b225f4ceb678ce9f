import type { DataSource } from 'typeorm';
import { PostgresPublication } from '../../src/modules/documents/postgres-publication.js';
import { Reindexing } from '../../src/modules/documents/reindexing.js';
import { FakeLog } from '../fixtures/live-feed.js';
import { TestDatabases } from '../fixtures/test-database.js';

import.meta.jest.setTimeout(120_000);

const INDEX = `
SELECT t.term, t.df, c.ordinal, p.weight, c.length FROM search_posting p JOIN search_term t USING (term_id)
  JOIN documents_chunk c USING (chunk_no) ORDER BY c.document_id, c.ordinal, t.term`;

describe('documents of an earlier analysis', () => {
  let databases: TestDatabases;
  let source: DataSource;

  beforeAll(async () => {
    databases = await TestDatabases.open();
    source = await databases.source();
  });
  afterAll(() => databases.close());

  it('are analysed again, and the index is what it would have been', async () => {
    const targets = { want: () => Promise.resolve() } as unknown as ConstructorParameters<
      typeof PostgresPublication
    >[1];
    const news = { changed: () => undefined } as unknown as ConstructorParameters<typeof PostgresPublication>[2];
    const publication = new PostgresPublication(source, targets, news);
    const chunk = { path: ['Fristen'], provision: null, page: null, references: [], tokens: 10 };
    for (const name of ['a.md', 'b.md'])
      await publication.publish({
        owner: 'erika',
        name,
        readers: ['*'],
        tags: [],
        sha256: name,
        bytes: 10,
        kind: 'md',
        title: name,
        language: 'de',
        law: null,
        terms: [],
        metadata: {},
        warnings: [],
        pages: null,
        characters: 10,
        chunks: [
          { ...chunk, ordinal: 0, content: 'Der Widerspruch ist binnen eines Monats zu erheben.' },
          { ...chunk, ordinal: 1, content: 'Die Baugenehmigung ist schriftlich zu beantragen.' },
        ],
      });
    const before: unknown = await source.query(INDEX);
    const [totals]: unknown[] = await source.query('SELECT chunks, length FROM search_total');
    await source.query(`UPDATE documents_document SET analysis = 0 WHERE name = 'a.md'`);
    await source.query(`UPDATE search_posting p SET weight = 7 FROM documents_chunk c JOIN documents_document d USING (document_id)
      WHERE p.chunk_no = c.chunk_no AND d.name = 'a.md'`);
    const reindexing = new Reindexing(source, new FakeLog());
    expect([await reindexing.round(), await reindexing.round()]).toEqual([true, false]);
    expect(await source.query(INDEX)).toEqual(before);
    expect((await source.query('SELECT chunks, length FROM search_total'))[0]).toEqual(totals);
  });
});
