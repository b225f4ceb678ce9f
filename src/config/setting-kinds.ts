import { EnvError, makeValidator } from 'envalid';
import { maskPatterns } from '../kernel/secret-mask.js';

const number = (kind: 'whole' | 'decimal', min: number, max: number) =>
  makeValidator<number>((input) => {
    const value = Number(input);
    const fits = input.trim() !== '' && value >= min && value <= max && (kind === 'decimal' || Number.isInteger(value));
    if (!fits) throw new EnvError(`"${input}" is not a ${kind} number from ${min} to ${max}`);
    return value;
  });
export const whole = (min: number, max: number) => number('whole', min, max);
export const decimal = (min: number, max: number) => number('decimal', min, max);

export const list = makeValidator<string[]>((input) =>
  input
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

/** A list of words out of a closed set. */
export const listOf = <T extends string>(allowed: readonly T[]) =>
  makeValidator<T[]>((input) => {
    const items = input
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
    const wrong = items.filter((item) => !(allowed as readonly string[]).includes(item));
    if (items.length === 0 || wrong.length > 0)
      throw new EnvError(`"${input}" is not a list out of ${allowed.join(', ')}`);
    return items as T[];
  });

/** An http or https address without user, query or fragment; a slash at the end is dropped. */
export const httpUrl = makeValidator<string>((input) => addressOf(input));

function addressOf(input: string): string {
  const url = URL.canParse(input) ? new URL(input) : undefined;
  const plain = url && !url.username && !url.password && !url.search && !url.hash;
  if (!plain || !/^https?:$/.test(url.protocol))
    throw new EnvError(
      `"${maskPatterns(input)}" is not an http or https address (without user, password, query and fragment)`,
    );
  return input.replace(/\/+$/, '');
}

/** The same, or the word `self`. */
export const httpUrlOrSelf = makeValidator<string>((input) => {
  if (input === 'self') return input;
  try {
    return addressOf(input);
  } catch (error) {
    throw error instanceof EnvError ? new EnvError(`${error.message}, nor is it self`) : error;
  }
});

const text = makeValidator<string>((input) => input);
const secrets = new WeakSet<object>();

function secretText(spec?: object): object {
  const made = text(spec);
  secrets.add(made);
  return made;
}

/** A value that is shown nowhere; `NAME_FILE` may name a file that holds it. */
export const secret = secretText as typeof text;
export const isSecret = (spec: object): boolean => secrets.has(spec);
