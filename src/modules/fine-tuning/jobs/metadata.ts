import { ValidateBy } from 'class-validator';
import { AppError } from '../../../kernel/errors.js';

const MOST_KEYS = 16;
const LONGEST_KEY = 64;
const LONGEST_VALUE = 512;

export type Metadata = Record<string, string>;

/** What is wrong with metadata; undefined: nothing. Limits as OpenAI documents them. */
export function metadataProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'must be an object of texts';
  const entries = Object.entries(value);
  if (entries.length > MOST_KEYS) return `has ${entries.length} keys; ${MOST_KEYS} are the most`;
  for (const [key, text] of entries) {
    if (key.length > LONGEST_KEY) return `has a key of ${key.length} characters; ${LONGEST_KEY} are the most`;
    if (typeof text !== 'string') return `has a value under "${key}" that is no text`;
    if (text.length > LONGEST_VALUE)
      return `has ${text.length} characters under "${key}"; ${LONGEST_VALUE} are the most`;
  }
  return undefined;
}

export const IsMetadata = (): PropertyDecorator =>
  ValidateBy({
    name: 'isMetadata',
    validator: {
      validate: (value: unknown) => metadataProblem(value) === undefined,
      defaultMessage: (args) => `metadata: ${metadataProblem(args?.value) ?? 'is not valid'}`,
    },
  });

/** Of a list: `metadata[k]=v` for those that have it, `metadata=null` for those without any. */
export type MetadataFilter = Metadata | 'none' | undefined;

const BRACKETS = /^metadata\[([^\]]*)\]$/;

/** Reads the filter out of a query, whether its parser nests brackets or not. @throws AppError `bad_request` */
export function metadataFilter(query: Readonly<Record<string, unknown>>): MetadataFilter {
  const whole = query['metadata'];
  if (whole === 'null') return 'none';
  const nested = typeof whole === 'object' && whole !== null ? whole : {};
  const flat = Object.entries(query).flatMap(([name, value]) => {
    const key = BRACKETS.exec(name)?.[1];
    return key === undefined ? [] : [[key, value] as const];
  });
  const found = { ...nested, ...Object.fromEntries(flat) };
  const isGiven = whole !== undefined || flat.length > 0;
  if (!isGiven) return undefined;
  const problem = typeof whole === 'string' ? 'must be null, or metadata[key]=value' : metadataProblem(found);
  if (problem === undefined) return found as Metadata;
  throw new AppError('bad_request', `metadata: ${problem}`, [{ path: 'metadata', message: problem }]);
}
