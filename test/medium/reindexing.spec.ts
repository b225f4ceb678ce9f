import type { DataSource } from 'typeorm';
import { Reindexing } from '../../src/modules/documents/reindexing.js';
import { DocumentStores, newDocument } from '../fixtures/document-stores.js';
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
    const { publication } = new DocumentStores(source);
    const texts = [
      'Der Widerspruch ist binnen eines Monats zu erheben.',
      'Die Baugenehmigung ist schriftlich zu beantragen.',
    ];
    for (const name of ['a', 'b']) await publication.publish(newDocument(name, texts));
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
