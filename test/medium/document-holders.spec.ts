import type { DataSource } from 'typeorm';
import type { Published } from '../../src/modules/documents/document-publication.port.js';
import { callerOf } from '../fixtures/callers.js';
import { DocumentStores, newDocument } from '../fixtures/document-stores.js';
import { TestDatabases } from '../fixtures/test-database.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(120_000);

const erika = callerOf('erika', 'trainer');
const max = callerOf('max', 'trainer');
const admin = callerOf('anna', 'admin');

describe('a document that several hold', () => {
  let databases: TestDatabases;
  let source: DataSource;
  let stores: DocumentStores;

  beforeAll(async () => {
    databases = await TestDatabases.open();
  });
  beforeEach(async () => {
    source = await databases.source();
    stores = new DocumentStores(source);
    await stores.start();
  });
  afterEach(() => stores.stop());
  afterAll(() => databases.close());

  /** As the ingestion does: known bytes join, others are published. */
  async function send(owner: string, name: string, text: string): Promise<Published> {
    const document = { ...newDocument('gleich', [text]), owner, name };
    return (await stores.publication.known(document.sha256, document)) ?? stores.publication.publish(document);
  }
  const get = (id: string, caller = admin) => stores.documents.get(id, caller);
  const isGone = (id: string) => expect(get(id)).rejects.toMatchObject({ code: 'not_found' });

  it('is the others’ when its owner removes it, and goes with the last of them', async () => {
    const { documentId } = await send('erika', 'a.md', 'Text');
    expect(await send('max', 'b.md', 'Text')).toMatchObject({ documentId, version: 1 });
    expect(await get(documentId)).toMatchObject({ owner: 'erika', names: ['a.md', 'b.md'] });
    const removed: string[][] = [];
    stores.pending.onRemoved((hashes) => removed.push(hashes));
    expect((await stores.documents.remove(documentId, erika)).message).toContain('others hold the document');
    expect(await get(documentId)).toMatchObject({ owner: 'max', filename: 'b.md', names: ['b.md'], readers: ['*'] });
    await eventually('the stores hold it', () => stores.graph.held.get(documentId)?.owner === 'max', 20_000);
    expect(removed).toEqual([]);
    await expect(stores.documents.remove(documentId, erika)).rejects.toMatchObject({ code: 'forbidden' });
    await stores.documents.remove(documentId, max);
    await isGone(documentId);
    expect(removed).toHaveLength(1);
    await eventually('the stores have let go of it', () => !stores.graph.held.has(documentId), 20_000);
    expect(await source.query('SELECT FROM documents_holder')).toEqual([]);
  });

  it('stays its owner’s when another lets go of it', async () => {
    const { documentId } = await send('erika', 'a.md', 'Text');
    await send('max', 'b.md', 'Text');
    await stores.documents.remove(documentId, max);
    expect(await get(documentId)).toMatchObject({ owner: 'erika', names: ['a.md'] });
    await expect(stores.documents.remove(documentId, max)).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('keeps a name that both call it by', async () => {
    const { documentId } = await send('erika', 'a.md', 'Text');
    await send('erika', 'z.md', 'Text');
    await send('max', 'a.md', 'Text');
    expect(await get(documentId)).toMatchObject({ names: ['a.md', 'z.md'] });
    await stores.documents.remove(documentId, erika);
    expect(await get(documentId)).toMatchObject({ owner: 'max', filename: 'a.md', names: ['a.md'] });
    // Free again for whoever let go of it.
    expect((await send('erika', 'a.md', 'anderer Text')).documentId).not.toBe(documentId);
  });

  it('is left to the others by whoever changes the own copy', async () => {
    const { documentId } = await send('erika', 'a.md', 'Text');
    await send('max', 'b.md', 'Text');
    const hers = await send('erika', 'a.md', 'neuer Text');
    expect(hers).toMatchObject({ version: 1 });
    expect(await get(hers.documentId)).toMatchObject({ owner: 'erika', names: ['a.md'] });
    expect(await get(documentId)).toMatchObject({ owner: 'max', filename: 'b.md', names: ['b.md'], version: 1 });
    const [chunk] = await stores.documents.chunks(documentId, admin);
    expect(chunk?.content).toBe('Text');
    // Alone again: now it is a new version.
    expect(await send('max', 'b.md', 'noch ein Text')).toMatchObject({ documentId, version: 2 });
  });

  it('is left by another who changes the own copy', async () => {
    const { documentId } = await send('erika', 'a.md', 'Text');
    await send('max', 'b.md', 'Text');
    const his = await send('max', 'b.md', 'neuer Text');
    expect(his.documentId).not.toBe(documentId);
    expect(await get(documentId)).toMatchObject({ owner: 'erika', names: ['a.md'] });
    await stores.documents.remove(documentId, erika);
    await isGone(documentId);
    expect(await get(his.documentId)).toMatchObject({ owner: 'max', names: ['b.md'] });
  });

  it('may be read by all of them whatever its owner says, and by nobody who let go of it', async () => {
    const { documentId } = await send('erika', 'a.md', 'Text');
    await send('max', 'b.md', 'Text');
    const changed = await stores.documents.change(documentId, { readers: ['role:chef'] }, erika);
    expect(changed.readers).toEqual(['owner:erika', 'owner:max', 'role:chef']);
    expect(await get(documentId, max)).toMatchObject({ document_id: documentId });
    await stores.documents.remove(documentId, erika);
    expect(await get(documentId, max)).toMatchObject({ owner: 'max', readers: ['owner:max', 'role:chef'] });
    await expect(get(documentId, erika)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('goes for all of them by an admin who does not hold it', async () => {
    const { documentId } = await send('erika', 'a.md', 'Text');
    await send('max', 'b.md', 'Text');
    await stores.documents.remove(documentId, admin);
    await isGone(documentId);
    expect((await send('max', 'b.md', 'Text')).documentId).not.toBe(documentId);
  });

  it('is one document or two, but never lost, where one removes it while another sends it', async () => {
    for (let round = 0; round < 10; round += 1) {
      const text = `Runde ${round}`;
      const { documentId } = await send('erika', 'a.md', text);
      const [his] = await Promise.all([send('max', 'b.md', text), stores.documents.remove(documentId, erika)]);
      expect(await get(his.documentId)).toMatchObject({ owner: 'max', names: ['b.md'] });
      await stores.documents.remove(his.documentId, max);
    }
  });
});
