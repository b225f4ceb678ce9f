import { setTimeout as sleep } from 'node:timers/promises';
import { DocumentStore } from '../../modules/documents/document-store.port.js';
import type { Holding, StoredChunk, StoredDocument } from '../../modules/documents/replica.port.js';
import { cleaned } from '../stores/clean-text.js';
import { STORE_TIMEOUT_MS, timeFor } from '../stores/store-call.js';
import { CouchCalls, statusOf, type Ask, type CouchConnection } from './couch-calls.js';

const PREFIX = 'document:';
const CHUNKS = 'chunks.json';
const CONFLICT = 409;
const ATTEMPTS = 20;
const LONGEST_PAUSE_MS = 50;

/** A document as CouchDB has it: the chunks stand beside, since it bounds the size of a document but not of what is attached. */
interface Entry {
  _id: string;
  _rev?: string;
  version: number;
  chunks: number;
  document: Omit<StoredDocument, 'chunks'>;
  _attachments: Record<string, { content_type: string; data?: string }>;
}

interface Listing {
  rows: { id: string; doc: Entry | null }[];
}

/** Whole documents in a CouchDB server, one CouchDB document each. */
export class CouchDocuments extends DocumentStore {
  readonly name = 'couchdb';
  readonly #calls: CouchCalls;

  constructor(connection: CouchConnection, timeoutMs = STORE_TIMEOUT_MS) {
    super();
    this.#calls = new CouchCalls(this.name, connection, timeoutMs);
  }

  async check(): Promise<void> {
    await this.#calls.call((ask) => ask({ path: '' }));
  }

  async replace(document: StoredDocument): Promise<void> {
    const entry = entryOf(cleaned(document));
    const doc = idOf(document.documentId);
    const put = (ask: Ask): Promise<void> =>
      withoutConflict(async () => {
        const revision = await revisionOf(ask, doc);
        await ask({ method: 'PUT', doc, body: revision ? { ...entry, _rev: revision } : entry });
      });
    await this.#calls.call(put, timeFor(document, this.#calls.timeoutMs));
  }

  async read(documentId: string): Promise<StoredDocument | null> {
    const entry = await this.#calls.call((ask) => ask<Entry>({ doc: idOf(documentId), qs: { attachments: true } }));
    return entry ? documentOf(entry) : null;
  }

  async remove(documentId: string): Promise<void> {
    const doc = idOf(documentId);
    await this.#calls.call((ask) =>
      withoutConflict(async () => {
        const rev = await revisionOf(ask, doc);
        if (rev) await ask({ method: 'DELETE', doc, qs: { rev } });
      }),
    );
  }

  async holdings(after: string | null, limit: number): Promise<Holding[]> {
    // The first id that can follow; all have one length.
    const start_key = after === null ? PREFIX : `${idOf(after)}0`;
    const qs = { include_docs: true, limit, start_key, end_key: `${PREFIX}\uFFF0` };
    const listing = await this.#calls.call((ask) => ask<Listing>({ path: '_all_docs', qs }));
    return (listing?.rows ?? []).flatMap(({ id, doc }) =>
      doc ? [{ documentId: id.slice(PREFIX.length), version: doc.version, chunks: doc.chunks }] : [],
    );
  }

  /** Every request is by itself. */
  async close(): Promise<void> {}
}

const idOf = (documentId: string): string => `${PREFIX}${documentId}`;

function entryOf({ chunks, ...document }: StoredDocument): Entry {
  const data = Buffer.from(JSON.stringify(chunks)).toString('base64');
  return {
    _id: idOf(document.documentId),
    version: document.version,
    chunks: chunks.length,
    document,
    _attachments: { [CHUNKS]: { content_type: 'application/json', data } },
  };
}

function documentOf({ document, _attachments }: Entry): StoredDocument {
  const data = _attachments[CHUNKS]?.data ?? '';
  return { ...document, chunks: JSON.parse(Buffer.from(data, 'base64').toString()) as StoredChunk[] };
}

async function revisionOf(ask: Ask, id: string): Promise<string | undefined> {
  const { _rev: revision } = (await ask<Entry>({ doc: id })) ?? {};
  return revision;
}

/** Another writer may come in between: then with the revision that it left. */
async function withoutConflict(work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= ATTEMPTS || statusOf(error) !== CONFLICT) throw error;
      await sleep(Math.random() * LONGEST_PAUSE_MS);
    }
  }
}
