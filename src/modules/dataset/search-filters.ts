import { AppError } from '../../kernel/errors.js';
import type { SearchFilters, SearchRequest, Signal } from '../search/document-search.port.js';
import { signals } from '../search/document-search.port.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const MOST_VALUES = 10_000;

type Reader = (value: unknown, name: string) => Partial<SearchFilters>;

const problem = (name: string, what: string): AppError =>
  new AppError('invalid', `filters.${name}: ${what}`, [{ path: `filters.${name}`, message: what }]);

/** One text or a list of texts. */
function texts(value: unknown, name: string): string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > MOST_VALUES) throw problem(name, `${list.length} values are too many; ${MOST_VALUES} are the most`);
  return list.map((item) => {
    if (typeof item === 'string' && item !== '' && !item.includes('\0')) return item;
    throw problem(name, 'must be a text or a list of texts');
  });
}

function ids(value: unknown, name: string): string[] {
  const list = texts(value, name);
  const wrong = list.find((id) => !UUID.test(id));
  if (wrong !== undefined) throw problem(name, `"${wrong.slice(0, 60)}" is no id of a document`);
  return list;
}

function time(value: unknown, name: string): string {
  const date = typeof value === 'string' ? new Date(value) : undefined;
  if (date && !Number.isNaN(date.getTime())) return date.toISOString();
  throw problem(name, 'must be a date, such as 2026-01-31');
}

function one(value: unknown, name: string): string {
  const [first, second] = texts(value, name);
  if (first === undefined || second !== undefined) throw problem(name, 'must be one text');
  return first;
}

const readers: Readonly<Record<string, Reader>> = {
  document_id: (value, name) => ({ documentIds: ids(value, name) }),
  document_ids: (value, name) => ({ documentIds: ids(value, name) }),
  document_type: (value, name) => ({ kinds: texts(value, name) }),
  kind: (value, name) => ({ kinds: texts(value, name) }),
  language: (value, name) => ({ languages: texts(value, name) }),
  tags: (value, name) => ({ tags: texts(value, name) }),
  law: (value, name) => ({ laws: texts(value, name) }),
  filename: (value, name) => ({ filename: one(value, name) }),
  created_from: (value, name) => ({ createdFrom: time(value, name) }),
  date_from: (value, name) => ({ createdFrom: time(value, name) }),
  created_to: (value, name) => ({ createdTo: time(value, name) }),
  date_to: (value, name) => ({ createdTo: time(value, name) }),
};

/** The filters of a request. Names that are none of ours are compared with the metadata of documents. @throws AppError `invalid` */
export function filtersOf(raw: Readonly<Record<string, unknown>> | null | undefined): SearchFilters {
  const filters: SearchFilters = {};
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(raw ?? {})) {
    if (value === null || value === undefined) continue;
    const read = Object.hasOwn(readers, name) ? readers[name] : undefined;
    if (read) Object.assign(filters, read(value, name));
    else metadata[name] = one(typeof value === 'number' || typeof value === 'boolean' ? String(value) : value, name);
  }
  return Object.keys(metadata).length > 0 ? { ...filters, metadata } : filters;
}

/** @throws AppError `invalid` */
export function weightsOf(raw: Readonly<Record<string, unknown>> | null | undefined): SearchRequest['weights'] {
  if (!raw || Object.keys(raw).length === 0) return undefined;
  const isSignal = (name: string): name is Signal => (signals as readonly string[]).includes(name);
  const weights: Partial<Record<Signal, number>> = {};
  for (const [name, value] of Object.entries(raw)) {
    if (!isSignal(name)) throw new AppError('invalid', `weights.${name.slice(0, 40)}: is none of ${signals.join(', ')}`);
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0)
      throw new AppError('invalid', `weights.${name}: must be a number of 0 or more`);
    weights[name] = value;
  }
  if (Object.values(weights).every((weight) => weight === 0))
    throw new AppError('invalid', 'weights: one of them must be more than 0');
  return weights;
}
