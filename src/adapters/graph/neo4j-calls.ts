import neo4j, { type Driver, type ManagedTransaction } from 'neo4j-driver';
import { messageOf } from '../../kernel/errors.js';
import { hostInUrl, type StoreAddress, type StoreLogin } from '../stores/outside-store.js';
import { answered } from '../stores/store-call.js';

export type Neo4jConnection = StoreAddress & StoreLogin;

const ATTEMPTS = 5;
/** Somebody else removed or made the same node in between. */
const raced = new Set([
  'Neo.ClientError.Statement.EntityNotFound',
  'Neo.ClientError.Schema.ConstraintValidationFailed',
]);

/** Statements with parameters, one after another in one transaction. */
export interface Cypher {
  /** Rows as plain objects; whole numbers among the parameters must come from `whole`. */
  rows<T>(statement: string, parameters?: Record<string, unknown>): Promise<T[]>;
}

/** The driver sends plain numbers as decimals, which no LIMIT takes. */
export const whole = (number: number): unknown => neo4j.int(number);

/** Calls of a Neo4j server over Bolt. */
export class Neo4jCalls {
  readonly #driver: Driver;

  constructor(
    readonly store: string,
    private readonly connection: Neo4jConnection,
    readonly timeoutMs: number,
  ) {
    const { host, port, ssl, user, password } = connection;
    this.#driver = neo4j.driver(
      `bolt${ssl ? '+s' : ''}://${hostInUrl(host)}:${port}`,
      user ? neo4j.auth.basic(user, password) : undefined,
      {
        disableLosslessIntegers: true,
        connectionTimeout: timeoutMs,
        connectionAcquisitionTimeout: timeoutMs,
        maxTransactionRetryTime: timeoutMs,
        userAgent: 'clara',
      },
    );
  }

  read<T>(work: (cypher: Cypher) => Promise<T>): Promise<T> {
    return this.#within(this.timeoutMs, async (timeout) => {
      const session = this.#driver.session({
        database: this.connection.database,
        defaultAccessMode: neo4j.session.READ,
      });
      return session.executeRead((tx) => work(cypherIn(tx)), { timeout }).finally(() => session.close());
    });
  }

  /** One transaction; a deadlock, or a race for a node, is tried again. */
  write<T>(work: (cypher: Cypher) => Promise<T>, timeoutMs = this.timeoutMs): Promise<T> {
    return this.#within(timeoutMs, async (timeout) => {
      for (let attempt = 1; ; attempt += 1) {
        const session = this.#driver.session({ database: this.connection.database });
        try {
          return await session.executeWrite((tx) => work(cypherIn(tx)), { timeout });
        } catch (error) {
          if (attempt >= ATTEMPTS || !raced.has(codeOf(error))) throw error;
        } finally {
          await session.close();
        }
      }
    });
  }

  async close(): Promise<void> {
    await this.#driver.close();
  }

  #within<T>(timeoutMs: number, work: (timeoutMs: number) => Promise<T>): Promise<T> {
    return answered(
      this.store,
      timeoutMs,
      () => work(timeoutMs),
      (error) => this.#reason(error),
    );
  }

  #reason(error: unknown): string {
    const { host, port } = this.connection;
    const code = codeOf(error);
    if (/^(ServiceUnavailable|SessionExpired)$/.test(code))
      return `${host}:${port} cannot be reached; is UDS3_NEO4J_HOST right?`;
    if (code.startsWith('Neo.ClientError.Security'))
      return `${host}:${port} refuses the login; are UDS3_NEO4J_USER and UDS3_NEO4J_PASSWORD right?`;
    return messageOf(error);
  }
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

const cypherIn = (tx: ManagedTransaction): Cypher => ({
  rows: async <T>(statement: string, parameters: Record<string, unknown> = {}) => {
    const { records } = await tx.run(statement, parameters);
    return records.map((record) => record.toObject() as T);
  },
});
