import type { LinkKind } from './document-links.js';

/** How a kind of tie looks in Neo4j. Labels have a prefix, for a Community server has one database for all. */
interface Shape {
  label: string;
  type: string;
}

export const shapes: Record<LinkKind, Shape> = {
  is: { label: 'ClaraProvision', type: 'IS' },
  refers: { label: 'ClaraProvision', type: 'REFERS_TO' },
  section: { label: 'ClaraSection', type: 'IN_SECTION' },
  term: { label: 'ClaraTerm', type: 'MENTIONS' },
  tag: { label: 'ClaraTag', type: 'TAGGED' },
};

const unique = (label: string, property: string): string =>
  `CREATE CONSTRAINT ${label}_${property} IF NOT EXISTS FOR (n:${label}) REQUIRE n.${property} IS UNIQUE`;

/** A unique property is indexed too. */
export const CONSTRAINTS = [
  unique('ClaraDocument', 'id'),
  unique('ClaraChunk', 'id'),
  ...[...new Set(Object.values(shapes).map(({ label }) => label))].map((label) => unique(label, 'key')),
];

export const DOCUMENT = `
MERGE (d:ClaraDocument {id: $id}) SET d.version = $version, d.readers = $readers`;

/**
 * Cuts a document from all that is tied to it, and gives what may hang loose now: its chunks and their nodes. They go only at
 * the end, since making a chunk again that the same transaction removed is ten times slower than finding it.
 */
export const CUT = `
MATCH (d:ClaraDocument {id: $id})
OPTIONAL MATCH (d)-[tag:TAGGED]->(t)
WITH d, collect(tag) AS cut, collect(elementId(t)) AS loose
OPTIONAL MATCH (d)-[has:HAS]->(c:ClaraChunk)
WITH cut, loose, collect(has) AS held, collect(c) AS chunks
CALL { WITH chunks UNWIND chunks AS c MATCH (c)-[tie:IS|REFERS_TO|IN_SECTION|MENTIONS]-(n)
  RETURN collect(tie) AS ties, collect(DISTINCT elementId(n)) AS nodes }
WITH cut + held + ties AS cut, loose + nodes + [c IN chunks | elementId(c)] AS loose
FOREACH (tie IN cut | DELETE tie)
RETURN loose`;

export const SWEEP = 'MATCH (n) WHERE elementId(n) IN $loose AND NOT (n)--() DELETE n';

export const REMOVE = 'MATCH (d:ClaraDocument {id: $id}) DETACH DELETE d';

export const CHUNKS = `
MATCH (d:ClaraDocument {id: $id})
UNWIND $keys AS key
MERGE (c:ClaraChunk {id: key}) SET c.document = $id, c.readers = $readers CREATE (d)-[:HAS]->(c)`;

/** The keys come in one order everywhere, so that two transactions wait instead of blocking each other. */
export const nodes = (kind: LinkKind): string => `UNWIND $keys AS key MERGE (:${shapes[kind].label} {key: key})`;

/** A provision points at what it is, all else is pointed at; a tag is the document's. */
export function ties(kind: LinkKind): string {
  const { label, type } = shapes[kind];
  const find = `UNWIND $links AS link MATCH (n:${label} {key: link.key})`;
  if (kind === 'tag')
    return `${find} MATCH (d:ClaraDocument {id: $id}) CREATE (d)-[:TAGGED {label: link.label, chunk: link.chunkId}]->(n)`;
  const tie = kind === 'is' ? `(n)-[:${type} {label: link.label}]->(c)` : `(c)-[:${type} {label: link.label}]->(n)`;
  return `${find} MATCH (c:ClaraChunk {id: link.chunkId}) CREATE ${tie}`;
}

const readable = (node: string): string => `($readers IS NULL OR any(key IN ${node}.readers WHERE key IN $readers))`;

export const JOINTS = `
MATCH (c:ClaraChunk) WHERE c.id IN $chunkIds AND ${readable('c')}
MATCH (c)-[r:IS|REFERS_TO|IN_SECTION|MENTIONS]-(n)
RETURN c.id AS chunkId, c.document AS documentId, type(r) AS type, n.key AS key, r.label AS label
UNION ALL
MATCH (c:ClaraChunk) WHERE c.id IN $chunkIds AND ${readable('c')}
MATCH (c)<-[:HAS]-(d:ClaraDocument)-[r:TAGGED]->(n)
RETURN c.id AS chunkId, c.document AS documentId, type(r) AS type, n.key AS key, r.label AS label`;

/** The size is counted no further than to know a hub; a hub's members are not read. */
export function members(kind: LinkKind): string {
  const { label, type } = shapes[kind];
  const tied = `(n)-[r:${type}]-(m)`;
  const [chunkId, documentId] = kind === 'tag' ? ['r.chunk', 'm.id'] : ['m.id', 'm.document'];
  return `
UNWIND $keys AS wanted MATCH (n:${label} {key: wanted})
CALL { WITH n MATCH ${tied} WITH m LIMIT $most RETURN count(m) AS size }
WITH n, size WHERE size < $most
CALL { WITH n MATCH ${tied}
  WHERE ${readable('m')} AND ($documentIds IS NULL OR ${documentId} IN $documentIds)
  RETURN ${chunkId} AS chunkId, ${documentId} AS documentId ORDER BY chunkId LIMIT $each }
RETURN n.key AS key, size, chunkId, documentId`;
}

export const HOLDINGS = `
MATCH (d:ClaraDocument) WHERE $after IS NULL OR d.id > $after
WITH d ORDER BY d.id LIMIT $limit
RETURN d.id AS documentId, d.version AS version, size([(d)-[:HAS]->(c) | 1]) AS chunks ORDER BY documentId`;
