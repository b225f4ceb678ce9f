import type { Problem } from '../../kernel/errors.js';
import { isUuid } from '../../kernel/uuid.js';
import { signals, type SearchFilters, type Signal } from '../search/document-search.port.js';

const LISTS: Readonly<Record<string, 'documentIds' | 'kinds' | 'languages' | 'tags' | 'laws'>> = {
  document_id: 'documentIds',
  document_ids: 'documentIds',
  document_type: 'kinds',
  kind: 'kinds',
  kinds: 'kinds',
  language: 'languages',
  languages: 'languages',
  tags: 'tags',
  law: 'laws',
  laws: 'laws',
};
const TEXTS: Readonly<Record<string, 'filename' | 'createdFrom' | 'createdTo'>> = {
  filename: 'filename',
  created_from: 'createdFrom',
  date_from: 'createdFrom',
  created_to: 'createdTo',
  date_to: 'createdTo',
};
/** As ISO 8601 writes a day, or a time of one; with a year and a zone that the database has. */
const TIME = /^((?!0000)\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-](0\d|1[0-4]):?\d{2})?)?$/;
const MOST = 1000;
const LONGEST = 1000;

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= LONGEST;
const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length <= MOST && value.every((entry) => isText(entry));

/** Day and time are there: `Date` makes the 2nd of March of a 30th of February. */
function isTime(text: string): boolean {
  const [, day] = TIME.exec(text) ?? [];
  if (day === undefined || Number.isNaN(Date.parse(text)) || Number.isNaN(Date.parse(day))) return false;
  return new Date(Date.parse(day)).toISOString().startsWith(day);
}

/** One text, or several; numbers and truth values of metadata are asked for as texts. */
function metadataOf(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return isText(value) ? value : undefined;
}

/**
 * The filters of a request. Keys that are none of ours are asked of the document's metadata, as the original's clients
 * send them.
 */
export function filtersOf(given: Readonly<Record<string, unknown>>, path: string): SearchFilters | Problem[] {
  const filters: SearchFilters = {};
  const problems: Problem[] = [];
  const metadata: Record<string, string> = {};
  const refuse = (key: string, what: string): void => void problems.push({ path: `${path}.${key}`, message: what });
  const own = Object.entries(given).filter(([key]) => key !== 'metadata');
  const nested = given['metadata'] ?? {};
  const facts = typeof nested === 'object' && !Array.isArray(nested) ? Object.entries(nested) : [];
  if (facts.length === 0 && given['metadata'] && typeof nested !== 'object') refuse('metadata', 'must be an object');
  for (const [key, value] of [...own, ...facts] as [string, unknown][]) {
    if (value === null || value === undefined) continue;
    const list = Object.hasOwn(LISTS, key) ? LISTS[key] : undefined;
    const text = Object.hasOwn(TEXTS, key) ? TEXTS[key] : undefined;
    const fact = metadataOf(value);
    if (list && isTexts(value)) filters[list] = value;
    else if (list && isText(value)) filters[list] = [value];
    else if (list) refuse(key, `must be a list of at most ${MOST} texts`);
    else if (text && isText(value)) filters[text] = value;
    else if (text) refuse(key, 'must be a text');
    else if (fact !== undefined) metadata[key] = fact;
    else refuse(key, 'must be a text, a number or a truth value');
  }
  if (Object.keys(metadata).length > 0) filters.metadata = metadata;
  const wrong = filters.documentIds?.find((id) => !isUuid(id));
  if (wrong !== undefined) refuse('document_ids', `"${wrong.slice(0, 60)}" is no id of a document`);
  for (const [key, time] of [
    ['created_from', filters.createdFrom],
    ['created_to', filters.createdTo],
  ] as const)
    if (time !== undefined && !isTime(time)) refuse(key, `"${time.slice(0, 40)}" is no date, such as 2026-01-31`);
  return problems.length > 0 ? problems : filters;
}

/** Weights by search type, 0 to 1. */
export function weightsOf(
  given: Readonly<Record<string, unknown>>,
  path: string,
): Partial<Record<Signal, number>> | Problem[] {
  const problems = Object.entries(given).flatMap(([name, value]): Problem[] => {
    if (!(signals as readonly string[]).includes(name))
      return [{ path: `${path}.${name}`, message: `is no search type; known are ${signals.join(', ')}` }];
    const fits = typeof value === 'number' && value >= 0 && value <= 1;
    return fits ? [] : [{ path: `${path}.${name}`, message: 'must be a number from 0 to 1' }];
  });
  return problems.length > 0 ? problems : given;
}
