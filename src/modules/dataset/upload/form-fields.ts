import { AppError } from '../../../kernel/errors.js';

/** Fields whose values in a JSON body are no texts. */
const LISTS = ['export_formats', 'readers'];
const NUMBERS = ['min_quality_score'];

function parsed(name: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new AppError('invalid', `${name}: is not JSON; a form sends objects and lists as JSON`, [
      { path: name, message: 'is not JSON' },
    ]);
  }
}

function valueOf(name: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const text = value.trim();
  if (text === '') return undefined;
  if (name !== 'name' && name !== 'description' && /^[[{]/.test(text)) return parsed(name, text);
  if (LISTS.includes(name)) return text.split(',').map((entry) => entry.trim());
  return NUMBERS.includes(name) && !Number.isNaN(Number(text)) ? Number(text) : value;
}

/** The fields of a form as a JSON body would have them: objects and lists as JSON or, of words, with commas between. */
export function formFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, valueOf(name, value)]));
}
