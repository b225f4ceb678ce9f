import { BadRequest } from './bad-request.js';

export type Body = Readonly<Record<string, unknown>>;

const SHOWN = 100;
/** Told for the caller's own books; they change no answer. */
const WITHOUT_EFFECT = new Set(['user', 'metadata', 'store', 'service_tier', 'safety_identifier', 'prompt_cache_key']);
/** What is not offered, with the values that ask for nothing. */
const NEUTRAL: Readonly<Record<string, readonly unknown[]>> = {
  n: [1],
  best_of: [1],
  echo: [false],
  suffix: [''],
  frequency_penalty: [0],
  presence_penalty: [0],
  repetition_penalty: [1],
  logit_bias: [{}],
  tools: [[]],
  tool_choice: ['none', 'auto'],
  parallel_tool_calls: [true, false],
  response_format: [{ type: 'text' }],
};

export const shown = (value: unknown): string => (JSON.stringify(value) ?? 'missing').slice(0, SHOWN);

/** @throws BadRequest for an option that this engine has not, as the answer would be another than the one asked for */
export function refuseUnknown(body: Body, known: readonly string[]): void {
  for (const [name, value] of Object.entries(body)) {
    if (value === null || known.includes(name) || WITHOUT_EFFECT.has(name)) continue;
    const neutral = NEUTRAL[name] ?? [];
    if (neutral.some((allowed) => JSON.stringify(allowed) === JSON.stringify(value))) continue;
    throw new BadRequest(`the llama.cpp engine has no ${name} of ${shown(value)}; leave it out`, name);
  }
}

export function flag(body: Body, name: string): boolean {
  const value = body[name] ?? false;
  if (typeof value !== 'boolean') throw new BadRequest(`${name} must be true or false, not ${shown(value)}`, name);
  return value;
}

export function number(body: Body, name: string, least: number, most: number): number | undefined {
  const value = body[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw new BadRequest(`${name} must be a number from ${least} to ${most}, not ${shown(value)}`, name);
}

export function whole(body: Body, name: string, least: number, most: number): number | undefined {
  const value = number(body, name, least, most);
  if (value === undefined || Number.isInteger(value)) return value;
  throw new BadRequest(`${name} must be a whole number, not ${value}`, name);
}

/** One text or several. */
export function texts(body: Body, name: string, most: number): string[] {
  const value = body[name] ?? [];
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > most) throw new BadRequest(`${name} may hold ${most} texts, not ${list.length}`, name);
  if (!list.every((one): one is string => typeof one === 'string'))
    throw new BadRequest(`${name} must be a text or a list of texts, not ${shown(value)}`, name);
  return list.filter((one) => one !== '');
}
