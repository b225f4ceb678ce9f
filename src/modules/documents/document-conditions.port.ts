import type { SearchFilters } from '../search/document-search.port.js';

/** SQL over documents_document `d` and documents_version `v`; parameters begin at $2. */
export function documentConditions(filters: SearchFilters): { conditions: string[]; values: unknown[] } {
  const conditions: string[] = [];
  const values: unknown[] = [];
  const add = (value: unknown, condition: (parameter: string) => string): void => {
    if (value === undefined) return;
    values.push(value);
    conditions.push(condition(`$${values.length + 1}`));
  };
  add(filters.documentIds, (p) => `d.document_id = ANY (${p}::uuid[])`);
  add(filters.kinds, (p) => `v.kind = ANY (${p}::text[])`);
  add(filters.languages, (p) => `v.language = ANY (${p}::text[])`);
  add(filters.tags, (p) => `d.tags && ${p}::text[]`);
  add(
    filters.laws?.map((law) => law.toLowerCase()),
    (p) => `lower(v.law) = ANY (${p}::text[])`,
  );
  add(filters.filename, (p) => `(d.name = ${p}::text OR ${p} = ANY (v.names))`);
  add(filters.createdFrom, (p) => `d.created_at >= ${p}::timestamptz`);
  add(filters.createdTo, (p) => `d.created_at <= ${p}::timestamptz`);
  add(filters.metadata && JSON.stringify(filters.metadata), (p) => `v.metadata @> ${p}::jsonb`);
  return { conditions, values };
}
