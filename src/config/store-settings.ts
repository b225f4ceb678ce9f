import { bool, port, str } from 'envalid';
import { secret } from './setting-kinds.js';

export const storeSpecs = {
  UDS3_CHROMA_HOST: str({
    default: undefined,
    desc: 'Host of a ChromaDB (1.5 or newer) for the vectors. Unset: pgvector in PostgreSQL.',
  }),
  UDS3_CHROMA_PORT: port({ default: 8000, desc: 'Port of ChromaDB.' }),
  UDS3_CHROMA_SSL: bool({ default: false, desc: 'Talk to ChromaDB over TLS.' }),
  UDS3_CHROMA_TOKEN: secret({ default: '', desc: 'Token that ChromaDB, or what stands before it, asks for (secret).' }),
  UDS3_CHROMA_TENANT: str({ default: 'default_tenant', desc: 'Tenant in ChromaDB.' }),
  UDS3_CHROMA_DATABASE: str({ default: 'default_database', desc: 'Database in ChromaDB.' }),
  UDS3_NEO4J_HOST: str({ default: undefined, desc: 'Host of a Neo4j for the graph. Unset: tables in PostgreSQL.' }),
  UDS3_NEO4J_PORT: port({ default: 7687, desc: 'Bolt port of Neo4j.' }),
  UDS3_NEO4J_SSL: bool({ default: false, desc: 'Talk to Neo4j over TLS.' }),
  UDS3_NEO4J_USER: str({ default: undefined, desc: 'User of Neo4j. Unset: Neo4j asks for none.' }),
  UDS3_NEO4J_PASSWORD: secret({ default: '', desc: 'Password of that user (secret).' }),
  UDS3_NEO4J_DATABASE: str({ default: 'neo4j', desc: 'Database in Neo4j.' }),
  UDS3_COUCHDB_HOST: str({
    default: undefined,
    desc: 'Host of a CouchDB for whole documents. Unset: JSONB in PostgreSQL.',
  }),
  UDS3_COUCHDB_PORT: port({ default: 5984, desc: 'Port of CouchDB.' }),
  UDS3_COUCHDB_SSL: bool({ default: false, desc: 'Talk to CouchDB over TLS.' }),
  UDS3_COUCHDB_USER: str({ default: undefined, desc: 'User of CouchDB. Unset: CouchDB asks for none.' }),
  UDS3_COUCHDB_PASSWORD: secret({ default: '', desc: 'Password of that user (secret).' }),
  UDS3_COUCHDB_DATABASE: str({ default: 'clara', desc: 'Database in CouchDB; made where it is missing.' }),
};

const stores = ['CHROMA', 'NEO4J', 'COUCHDB'] as const;
type StoreName = (typeof stores)[number];

type Read = {
  [N in StoreName as `UDS3_${N}_HOST`]: string | undefined;
} & {
  [N in StoreName as `UDS3_${N}_PORT`]: number;
} & {
  [N in StoreName as `UDS3_${N}_SSL`]: boolean;
} & {
  [N in StoreName as `UDS3_${N}_DATABASE`]: string;
} & {
  UDS3_CHROMA_TOKEN: string;
  UDS3_CHROMA_TENANT: string;
  UDS3_NEO4J_USER: string | undefined;
  UDS3_NEO4J_PASSWORD: string;
  UDS3_COUCHDB_USER: string | undefined;
  UDS3_COUCHDB_PASSWORD: string;
};

/** Without the host of a store none of its settings is used, and a leftover does no harm. */
export const storeProblems = (read: Read): string[] => [
  ...stores.flatMap((name) => hostProblems(`UDS3_${name}_HOST`, read[`UDS3_${name}_HOST`])),
  ...(['NEO4J', 'COUCHDB'] as const).flatMap((name) => (read[`UDS3_${name}_HOST`] ? loginProblems(name, read) : [])),
  ...(read.UDS3_COUCHDB_HOST ? databaseProblems(read.UDS3_COUCHDB_DATABASE) : []),
];

function hostProblems(name: string, host: string | undefined): string[] {
  if (host === undefined || /^[\w.-]+$|^[\da-f:.]+$/i.test(host)) return [];
  // What stands before an @ may be a password.
  return [`${name}: is no host name or address alone; leave out http://, the port, user and path`];
}

function loginProblems(name: 'NEO4J' | 'COUCHDB', read: Read): string[] {
  const user = `UDS3_${name}_USER` as const;
  const password = `UDS3_${name}_PASSWORD` as const;
  if (Boolean(read[user]) === (read[password] !== '')) return [];
  const [missing, there] = read[user] ? [password, user] : [user, password];
  return [`${missing}: is not set, but ${there} is; set both, or none where the server asks for no login`];
}

function databaseProblems(database: string): string[] {
  if (/^[a-z][a-z0-9_$()+-]{0,200}$/.test(database)) return [];
  return [
    `UDS3_COUCHDB_DATABASE: "${database}" names no CouchDB database; it begins with a small letter, and goes on with those, digits and _$()+-`,
  ];
}

/** The stores outside; `undefined` where PostgreSQL does it. */
export const storesOf = (read: Read) =>
  ({
    chroma: read.UDS3_CHROMA_HOST
      ? { ...placeOf('CHROMA', read), token: read.UDS3_CHROMA_TOKEN, tenant: read.UDS3_CHROMA_TENANT }
      : undefined,
    neo4j: read.UDS3_NEO4J_HOST ? { ...placeOf('NEO4J', read), ...loginOf('NEO4J', read) } : undefined,
    couchdb: read.UDS3_COUCHDB_HOST ? { ...placeOf('COUCHDB', read), ...loginOf('COUCHDB', read) } : undefined,
  }) as const;

const placeOf = (name: StoreName, read: Read) => ({
  host: read[`UDS3_${name}_HOST`] ?? '',
  port: read[`UDS3_${name}_PORT`],
  ssl: read[`UDS3_${name}_SSL`],
  database: read[`UDS3_${name}_DATABASE`],
});

const loginOf = (name: 'NEO4J' | 'COUCHDB', read: Read) => ({
  user: read[`UDS3_${name}_USER`] ?? '',
  password: read[`UDS3_${name}_PASSWORD`],
});
