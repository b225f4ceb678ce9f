import { rowsOf, type Sql } from '../../kernel/transaction.js';

interface Holder {
  owner: string;
  name: string;
}

/** The owner calls the document by this name from now on. */
export async function hold(sql: Sql, documentId: string, { owner, name }: Holder): Promise<void> {
  await sql.query(
    `INSERT INTO documents_holder (owner, name, document_id) VALUES ($1, $2, $3)
      ON CONFLICT (owner, name) DO UPDATE SET document_id = excluded.document_id`,
    [owner, name, documentId],
  );
  await sql.query(
    `UPDATE documents_version v SET names = array_append(names, $2) FROM documents_document d
      WHERE d.document_id = $1 AND v.document_id = d.document_id AND v.version = d.version AND $2 <> ALL (names)`,
    [documentId, name],
  );
}

/**
 * Takes a name back that is about to be another document's. Answers the documents that others hold on to, or their owner by
 * other names: they are called otherwise now. One that nobody else holds is left as it is.
 */
export async function releaseName(sql: Sql, { owner, name }: Holder): Promise<string[]> {
  const rows = await rowsOf<{ document_id: string }>(
    sql,
    `DELETE FROM documents_holder h WHERE owner = $1 AND name = $2
      AND EXISTS (SELECT FROM documents_holder o WHERE o.document_id = h.document_id AND (o.owner <> $1 OR o.name <> $2))
      RETURNING document_id`,
    [owner, name],
  );
  for (const { document_id } of rows) await handOver(sql, document_id);
  return rows.map(({ document_id }) => document_id);
}

/** Takes all names back by which the owner holds the document. @returns whether others hold it still */
export async function releaseAll(sql: Sql, documentId: string, owner: string): Promise<boolean> {
  await sql.query('DELETE FROM documents_holder WHERE document_id = $1 AND owner = $2', [documentId, owner]);
  const [left] = await rowsOf(sql, 'SELECT FROM documents_holder WHERE document_id = $1 LIMIT 1', [documentId]);
  if (left) await handOver(sql, documentId);
  return left !== undefined;
}

/** The document is its first holder's, is called as its holders call it, and may be read by none that let go of it. */
async function handOver(sql: Sql, documentId: string): Promise<void> {
  await sql.query(
    `WITH heir AS (
        SELECT h.owner, h.name FROM documents_holder h JOIN documents_document d USING (document_id)
          WHERE document_id = $1
          ORDER BY h.owner = d.owner AND h.name = d.name DESC, h.owner = d.owner DESC, h.created_at, h.owner, h.name LIMIT 1)
      UPDATE documents_document d SET owner = heir.owner, name = heir.name, readers = CASE
          WHEN '*' = ANY (d.readers) THEN d.readers
          ELSE ARRAY(SELECT reader COLLATE "C" FROM unnest(d.readers) AS reader WHERE reader NOT LIKE 'owner:%'
            UNION SELECT 'owner:' || h.owner FROM documents_holder h WHERE h.document_id = $1 ORDER BY 1) END
        FROM heir WHERE d.document_id = $1`,
    [documentId],
  );
  await sql.query(
    `UPDATE documents_version v SET filename = d.name,
        names = ARRAY(SELECT n FROM unnest(v.names) WITH ORDINALITY AS u (n, place)
          WHERE n IN (SELECT name FROM documents_holder WHERE document_id = $1) ORDER BY place)
      FROM documents_document d WHERE d.document_id = $1 AND v.document_id = $1 AND v.version = d.version`,
    [documentId],
  );
}

/** Others than its owner who hold the document. */
export async function otherHolders(sql: Sql, documentId: string): Promise<string[]> {
  const rows = await rowsOf<{ owner: string }>(
    sql,
    `SELECT DISTINCT h.owner FROM documents_holder h JOIN documents_document d USING (document_id)
      WHERE document_id = $1 AND h.owner <> d.owner ORDER BY 1`,
    [documentId],
  );
  return rows.map(({ owner }) => owner);
}

export async function holds(sql: Sql, documentId: string, owner: string): Promise<boolean> {
  const rows = await rowsOf(sql, 'SELECT FROM documents_holder WHERE document_id = $1 AND owner = $2 LIMIT 1', [
    documentId,
    owner,
  ]);
  return rows.length > 0;
}
