import {
  ChromaClient,
  ChromaConnectionError,
  ChromaForbiddenError,
  ChromaNotFoundError,
  ChromaUnauthorizedError,
  type Collection,
} from 'chromadb';
import { messageOf } from '../../kernel/errors.js';
import { answered } from '../stores/store-call.js';
import { hostInUrl, type StoreAddress } from '../stores/outside-store.js';

export interface ChromaConnection extends StoreAddress {
  /** Empty: none is asked for. */
  token: string;
  tenant: string;
}

const PREFIX = 'clara-';
const SUFFIX = '-vectors';
const MOST_COLLECTIONS = 1000;

/** Calls of a ChromaDB server, each with its own deadline. */
export class ChromaCalls {
  constructor(
    readonly store: string,
    private readonly connection: ChromaConnection,
    readonly timeoutMs: number,
  ) {}

  /** @throws StoreUnavailable @throws RangeError that `work` threw */
  ask<T>(work: (client: ChromaClient) => Promise<T>): Promise<T> {
    const asked = (signal: AbortSignal): Promise<T> => work(this.#client(signal));
    return answered(this.store, this.timeoutMs, asked, (error) => this.#reason(error));
  }

  on<T>(spaceId: string, work: (collection: Collection) => Promise<T>): Promise<T> {
    return this.ask(async (client) => work(await client.getCollection({ name: collectionOf(spaceId) })));
  }

  /** Ids of all spaces on the server, ascending. */
  async spaceIds(): Promise<string[]> {
    const collections = await this.ask((client) => client.listCollections({ limit: MOST_COLLECTIONS }));
    const names = collections.map(({ name }) => name);
    return names
      .filter((name) => name.startsWith(PREFIX) && name.endsWith(SUFFIX))
      .map((name) => name.slice(PREFIX.length, -SUFFIX.length))
      .toSorted((a, b) => (a < b ? -1 : 1));
  }

  /** The signal is of the client, so every call has its own. */
  #client(signal: AbortSignal): ChromaClient {
    const { host, port, ssl, token, tenant, database } = this.connection;
    const headers: Record<string, string> = token ? { authorization: `Bearer ${token}`, 'x-chroma-token': token } : {};
    // A redirect could lead the token elsewhere.
    const fetchOptions: RequestInit = { signal, redirect: 'error' };
    return new ChromaClient({ host: hostInUrl(host), port, ssl, tenant, database, headers, fetchOptions });
  }

  #reason(error: unknown): string {
    const { host, port } = this.connection;
    if (error instanceof ChromaConnectionError) return `${host}:${port} cannot be reached; is UDS3_CHROMA_HOST right?`;
    if (error instanceof ChromaUnauthorizedError || error instanceof ChromaForbiddenError)
      return `${host}:${port} refuses the token; is UDS3_CHROMA_TOKEN right?`;
    if (error instanceof ChromaNotFoundError)
      return `${host}:${port} has no such collection, tenant or database; was the space opened?`;
    return messageOf(error);
  }
}

export const collectionOf = (spaceId: string): string => `${PREFIX}${spaceId}${SUFFIX}`;
