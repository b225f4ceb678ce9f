import { keywordStatement, type KeywordQuery } from './keyword-statement.js';

const term = (id: number, df: number) => ({ id, df, term: `t${id}`, word: `T${id}`, weight: 1 });
const everything = { readers: null, documentIds: null, chunks: null };
const query: KeywordQuery = {
  rare: [term(1, 3), term(2, 8)],
  common: [term(3, 900), term(4, 800)],
  weightOf: ({ df }) => 1 / df,
  averageLength: 60,
  limit: 100,
  scope: everything,
  filtering: 'after',
};
const part = (sql: string, name: string): string =>
  new RegExp(`${name} AS MATERIALIZED \\(([\\s\\S]*?)\\n?  \\w+ AS MATERIALIZED`).exec(sql)?.[1] ?? '';

describe('statement of the keyword search', () => {
  it('tells rare and common terms with their weights, and the most that the common ones can add', () => {
    const { parameters } = keywordStatement(query);
    expect(parameters.slice(0, 6)).toEqual([[1, 2], [1 / 3, 1 / 8], [3, 4], [1 / 900, 1 / 800], 60, 100]);
    expect(parameters[6]).toBeCloseTo(2.2 * (1 / 900 + 1 / 800), 10);
    expect(parameters).toHaveLength(7);
  });

  it.each(['first', 'inside', 'after'] as const)(
    'has no filter where all may be read, whichever is asked (%s)',
    (filtering) => {
      const { sql } = keywordStatement({ ...query, filtering });
      expect(sql).not.toContain('$8');
    },
  );

  it('filters by reader where it is asked to', () => {
    const scope = { ...everything, readers: ['*', 'role:user'] };
    const after = keywordStatement({ ...query, scope });
    expect(after.parameters[7]).toEqual(['*', 'role:user']);
    expect(part(after.sql, 'candidates')).not.toContain('$8');
    expect(part(after.sql, 'kept')).toContain('d.readers && $8::text[]');
    const inside = keywordStatement({ ...query, scope, filtering: 'inside' });
    expect(part(inside.sql, 'candidates')).toContain('d.readers && $8::text[]');
    expect(part(inside.sql, 'kept')).not.toContain('$8');
  });

  it('filters by document, which readers have been asked for', () => {
    const scope = { readers: ['*'], documentIds: ['a', 'b'], chunks: 20 };
    for (const filtering of ['first', 'inside', 'after'] as const) {
      const { sql, parameters } = keywordStatement({ ...query, scope, filtering });
      expect(parameters.slice(7)).toEqual([['a', 'b']]);
      expect(sql.match(/c\.document_id = ANY \(\$8::uuid\[\]\)/g)).toHaveLength(1);
      expect(sql).not.toContain('readers');
    }
  });
});
