import nano from 'nano';
import { messageOf } from '../../kernel/errors.js';
import { hostInUrl, type StoreAddress, type StoreLogin } from '../stores/outside-store.js';
import { answered } from '../stores/store-call.js';

export type CouchConnection = StoreAddress & StoreLogin;

export type CouchRequest = Omit<nano.RequestOptions, 'db'>;
type SignalledRequest = nano.RequestOptions & { signal: AbortSignal };

/** Asks the database; undefined where there is no such document. */
export type Ask = <T>(request: CouchRequest) => Promise<T | undefined>;

const NOT_FOUND = 404;
const ALREADY_THERE = 412;

/** Calls of a CouchDB server, each with its own deadline, in a database that is made where it is missing. */
export class CouchCalls {
  readonly #server: nano.ServerScope;
  #made = false;

  constructor(
    readonly store: string,
    private readonly connection: CouchConnection,
    readonly timeoutMs: number,
  ) {
    const { host, port, ssl, user, password } = connection;
    // A header, for an address shows in errors.
    const login = Buffer.from(`${user}:${password}`).toString('base64');
    const headers = user ? { authorization: `Basic ${login}` } : {};
    this.#server = nano({ url: `http${ssl ? 's' : ''}://${hostInUrl(host)}:${port}`, headers });
  }

  /** @throws StoreUnavailable */
  call<T>(work: (ask: Ask) => Promise<T>, timeoutMs = this.timeoutMs): Promise<T> {
    const made = async (signal: AbortSignal): Promise<T> => {
      await this.#make(signal);
      return work((request) => this.#ask(request, signal));
    };
    return answered(this.store, timeoutMs, made, (error) => this.#reason(error));
  }

  async #ask<T>(request: CouchRequest, signal: AbortSignal): Promise<T | undefined> {
    try {
      const answer: unknown = await this.#request({ ...request, signal });
      // The driver gives an empty text for an answer that broke off.
      if (typeof answer !== 'object' || answer === null) throw new Error('the answer broke off');
      return answer as T;
    } catch (error) {
      if (statusOf(error) !== NOT_FOUND) throw error;
      if (!/no_db_file|database does not exist/i.test(messageOf(error))) return undefined;
      this.#made = false;
      throw error;
    }
  }

  async #make(signal: AbortSignal): Promise<void> {
    if (this.#made) return;
    await this.#request({ method: 'PUT', signal }).catch((error: unknown) => {
      if (statusOf(error) !== ALREADY_THERE) throw error;
    });
    this.#made = true;
  }

  #request(request: Omit<SignalledRequest, 'db'>): Promise<unknown> {
    const whole: SignalledRequest = { ...request, db: this.connection.database };
    return this.#server.request(whole);
  }

  #reason(error: unknown): string {
    const { host, port } = this.connection;
    const status = statusOf(error);
    if (status === undefined) return `${host}:${port} cannot be reached; is UDS3_COUCHDB_HOST right?`;
    if (status === 401 || status === 403)
      return `${host}:${port} refuses the login; are UDS3_COUCHDB_USER and UDS3_COUCHDB_PASSWORD right?`;
    return `${host}:${port} answered ${status}: ${messageOf(error)}`;
  }
}

export function statusOf(error: unknown): number | undefined {
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' ? status : undefined;
}
