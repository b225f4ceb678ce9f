import { LineCounter, isScalar, parseDocument, visit, type Alias, type Document, type YAMLMap } from 'yaml';
import type { Problem } from '../../../kernel/errors.js';
import { openConfined, type PathRules } from '../../../kernel/safe-path.js';

/** A configuration as it stands in the file: mappings are Maps, so that no key is special. */
export type ConfigDocument = Map<string, unknown>;

/** The time to parse hostile text grows faster than its size; a real configuration has about 5 KB. */
const LARGEST_BYTES = 128 * 1024;
const MOST_ALIASES = 50;
const MOST_PROBLEMS = 10;

/** What makes a text no configuration; the path is the place in it. */
export class ConfigError extends Error {
  constructor(readonly problems: Problem[]) {
    super(problems.map(({ path, message }) => `${path}: ${message}`).join('; '));
  }
}

const refuse = (path: string, message: string): ConfigError => new ConfigError([{ path, message }]);

type Place = (offset: number) => string;

/** Compared by a set: the parser's own comparison takes a time that is quadratic in the number of keys. */
function repeatedKeys(map: YAMLMap, place: Place): Problem[] {
  const seen = new Set<unknown>();
  return map.items.flatMap(({ key }) => {
    if (!isScalar(key)) return [];
    const again = seen.has(key.value);
    seen.add(key.value);
    return again ? [{ path: place(key.range?.[0] ?? 0), message: `the key "${String(key.value)}" stands twice` }] : [];
  });
}

function aliasProblems(document: Document, aliases: Alias[], place: Place): Problem[] {
  const count = aliases.length;
  if (count > MOST_ALIASES)
    return [{ path: place(0), message: `has ${count} aliases (*name); at most ${MOST_ALIASES} are read` }];
  return aliases
    .filter((alias) => alias.resolve(document) === undefined)
    .map((alias) => ({ path: place(alias.range?.[0] ?? 0), message: `*${alias.source} has no anchor before it` }));
}

function structureProblems(document: Document, place: Place): Problem[] {
  const problems: Problem[] = [];
  const aliases: Alias[] = [];
  const merge = 'merge keys (<<) are not read; write the keys out';
  visit(document, {
    Map: (_key, node) => void problems.push(...repeatedKeys(node, place)),
    Alias: (_key, node) => void aliases.push(node),
    Pair: (_key, { key }) => {
      if (isScalar(key) && key.value === '<<') problems.push({ path: place(key.range?.[0] ?? 0), message: merge });
    },
  });
  return [...problems, ...aliasProblems(document, aliases, place)];
}

function toMap(document: Document, place: Place): ConfigDocument {
  try {
    const value: unknown = document.toJS({ mapAsMap: true, maxAliasCount: MOST_ALIASES });
    if (value instanceof Map) return value as ConfigDocument;
  } catch (error) {
    throw refuse(place(0), `its aliases (*name) cannot be resolved: ${(error as Error).message}`);
  }
  throw refuse(place(0), 'the file is not a mapping of sections such as model, lora, data and training');
}

/**
 * Reads a configuration: YAML 1.2, one document, a mapping at the top.
 * @throws ConfigError naming each problem by line and column
 */
export function parseConfig(text: string): ConfigDocument {
  const lines = new LineCounter();
  const place: Place = (offset) => `line ${lines.linePos(offset).line || 1}, column ${lines.linePos(offset).col || 1}`;
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: false,
    logLevel: 'error',
  });
  const wrong = [...document.errors, ...document.warnings].map(({ pos, message }) => ({
    path: place(pos[0]),
    message,
  }));
  const problems = wrong.length > 0 ? wrong : structureProblems(document, place);
  if (problems.length > 0) throw new ConfigError(problems.slice(0, MOST_PROBLEMS));
  return toMap(document, place);
}

/**
 * Reads the configuration that a client named.
 * @throws PathError when the file is not one it may name
 * @throws ConfigError when the file is no configuration
 */
export async function readConfig(path: string, rules: PathRules): Promise<ConfigDocument> {
  const { handle } = await openConfined(path, rules);
  try {
    // One byte more than is allowed shows that the file is too large, even while it grows.
    const bytes = Buffer.alloc(LARGEST_BYTES + 1);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
    if (bytesRead > LARGEST_BYTES) throw refuse('line 1', `the file is larger than ${LARGEST_BYTES / 1024} KiB`);
    return parseConfig(decode(bytes.subarray(0, bytesRead)));
  } finally {
    await handle.close();
  }
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refuse('line 1', 'the file is not UTF-8 text');
  }
}
