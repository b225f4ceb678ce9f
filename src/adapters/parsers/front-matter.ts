import { parse } from 'yaml';

const LONGEST_VALUE = 1000;

/** A fact as metadata keeps it; null where there is nothing to say. */
export function factOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  const text = value instanceof Date ? value.toISOString() : typeof value === 'string' ? value : JSON.stringify(value);
  return text.trim().slice(0, LONGEST_VALUE) || null;
}

/** Facts with a value, by name. */
export function factsOf(facts: Readonly<Record<string, unknown>>): Record<string, string> {
  const kept = Object.entries(facts).flatMap(([name, value]) => {
    const fact = factOf(value);
    return fact === null ? [] : [[name.slice(0, 100), fact] as const];
  });
  return Object.fromEntries(kept);
}

/**
 * The facts of a YAML front matter (the lines between its two `---`).
 * A front matter that is no mapping has none.
 */
export function frontMatterFacts(yaml: string): Record<string, string> {
  try {
    const read: unknown = parse(yaml, { maxAliasCount: 10 });
    return read !== null && typeof read === 'object' && !Array.isArray(read) ? factsOf({ ...read }) : {};
  } catch {
    return looseFacts(yaml);
  }
}

/** What is nearly YAML, such as a long title on two lines: a line without a name goes on with the one before. */
function looseFacts(text: string): Record<string, string> {
  const facts = new Map<string, string>();
  let name = '';
  for (const line of text.split('\n')) {
    const [, key, value] = /^([A-Za-z][\w-]{0,60}):(?:\s+(.*))?$/.exec(line) ?? [];
    if (key) facts.set((name = key), value ?? '');
    else if (name) facts.set(name, `${facts.get(name) ?? ''} ${line.trim()}`);
  }
  return factsOf(Object.fromEntries(facts));
}
