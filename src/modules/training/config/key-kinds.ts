/** What reading a value of a file gives: the value as the program wants it, or why it is refused. */
export type Reading<T> = { value: T } | { problem: string };

/** How the value of a key is read. */
export interface Kind<T> {
  read(raw: unknown): Reading<T>;
  /** An empty value is a value of its own; else it stands for the default. */
  takesNull: boolean;
}

interface Range {
  min?: number;
  max?: number;
  above?: number;
  below?: number;
}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const LARGEST_COUNT = 1_000_000_000;
const LONGEST_TEXT = 300;

const plain = <T>(read: (raw: unknown) => Reading<T>): Kind<T> => ({ read, takesNull: false });

/** A value as a message shows it: short, on one line. */
export function show(raw: unknown): string {
  if (raw instanceof Map) return 'a mapping';
  if (Array.isArray(raw)) return 'a list';
  const text = typeof raw === 'string' ? JSON.stringify(raw) : String(raw);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

function toNumber(raw: unknown): number | undefined {
  if (typeof raw === 'number') return raw;
  return typeof raw === 'string' && NUMBER.test(raw.trim()) ? Number(raw) : undefined;
}

const bounds: [keyof Range, string, (value: number, bound: number) => boolean][] = [
  ['min', 'at least', (value, bound) => value >= bound],
  ['above', 'above', (value, bound) => value > bound],
  ['max', 'at most', (value, bound) => value <= bound],
  ['below', 'below', (value, bound) => value < bound],
];

function inRange(value: number, raw: unknown, range: Range): Reading<number> {
  const crossed = bounds.filter(([name, , holds]) => range[name] !== undefined && !holds(value, range[name]));
  if (crossed.length === 0) return { value };
  return { problem: `${show(raw)} is not ${crossed.map(([name, word]) => `${word} ${range[name]}`).join(' and ')}` };
}

/** A decimal number; also as text. */
export const decimal = (range: Range): Kind<number> =>
  plain((raw) => {
    const value = toNumber(raw);
    if (value === undefined || !Number.isFinite(value)) return { problem: `${show(raw)} is not a number` };
    return inRange(value, raw, range);
  });

/** A whole number; also as text. */
export const whole = (min: number, max = LARGEST_COUNT): Kind<number> =>
  plain((raw) => {
    const value = toNumber(raw);
    if (value === undefined || !Number.isInteger(value)) return { problem: `${show(raw)} is not a whole number` };
    return inRange(value, raw, { min, max });
  });

/** -1 for no limit, else a whole number of at least 1. */
export const wholeOrMinusOne: Kind<number> = plain((raw) =>
  toNumber(raw) === 0 ? { problem: '0 is neither -1 (no limit) nor at least 1' } : whole(-1).read(raw),
);

const meant: Record<string, string> = {
  yes: '; write true',
  on: '; write true',
  no: '; write false',
  off: '; write false',
  true: '; write true without quotes',
  false: '; write false without quotes',
};

/** true or false. */
export const flag: Kind<boolean> = plain((raw) => {
  if (typeof raw === 'boolean') return { value: raw };
  const hint = typeof raw === 'string' && Object.hasOwn(meant, raw.toLowerCase()) ? meant[raw.toLowerCase()] : '';
  return { problem: `${show(raw)} is not true or false${hint}` };
});

/** A text of one line. */
export const text: Kind<string> = plain((raw) => {
  if (typeof raw !== 'string' && typeof raw !== 'number') return { problem: `${show(raw)} is not a text` };
  const value = String(raw).trim();
  if (value === '') return { problem: 'the text is empty; leave the key out, or give it a value' };
  if (value.length > LONGEST_TEXT) return { problem: `the text is longer than ${LONGEST_TEXT} characters` };
  return /\p{Cc}/u.test(value) ? { problem: `${show(raw)} holds control characters` } : { value };
});

/** One of the words. */
export const choice = <const T extends string>(...words: T[]): Kind<T> =>
  plain((raw) => {
    const value = words.find((word) => word === raw);
    return value === undefined ? { problem: `${show(raw)} is not one of ${words.join(', ')}` } : { value };
  });

/** A text of a given form. */
export const like = (form: RegExp, expected: string): Kind<string> =>
  plain((raw) => {
    const value = typeof raw === 'string' ? raw.trim() : '';
    return form.test(value) ? { value } : { problem: `${show(raw)} is not ${expected}` };
  });

/** A certain word, or a value of the kind. */
export const wordOr = <const W extends string, T>(word: W, kind: Kind<T>): Kind<W | T> => ({
  takesNull: kind.takesNull,
  read(raw) {
    if (raw === word) return { value: word };
    const reading = kind.read(raw);
    return 'problem' in reading ? { problem: reading.problem.replace(/(?=;|$)/, `, nor ${word}`) } : reading;
  },
});

/** `auto`, or a value of the kind. */
export const orAuto = <T>(kind: Kind<T>): Kind<T | 'auto'> => wordOr('auto', kind);

/** null, or a value of the kind. */
export const orNull = <T>(kind: Kind<T>): Kind<T | null> => ({
  takesNull: true,
  read: (raw) => (raw === null ? { value: null } : kind.read(raw)),
});

/** One value, or a list of them without repetitions. */
export const listOf = <T>(kind: Kind<T>, emptyAllowed: 'may be empty' | 'not empty'): Kind<T[]> =>
  plain((raw) => {
    const items: unknown[] = Array.isArray(raw) ? raw : [raw];
    if (items.length === 0 && emptyAllowed === 'not empty') return { problem: 'the list is empty' };
    const readings = items.map((item) => kind.read(item));
    const wrong = readings.flatMap((reading) => ('problem' in reading ? [reading.problem] : []));
    if (wrong.length > 0) return { problem: wrong.join('; ') };
    return { value: [...new Set(readings.flatMap((reading) => ('value' in reading ? [reading.value] : [])))] };
  });
