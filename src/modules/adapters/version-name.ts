import { plainLetters } from '../../kernel/base-slug.js';

const LONGEST_DOMAIN = 40;
const LONGEST_SUFFIX = 64;
const SHORT_ID = 12;

/** Small letters, digits and dashes; empty where nothing of the text is left. */
export const slugOf = (text: string, longest: number): string =>
  plainLetters(text)
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, longest)
    .replace(/^-+|-+$/g, '');

/** What a version is called by, but for its number: `<domain>-<method>-r<rank>`. */
export const namePrefixOf = (domain: string, method: string, rank: number): string =>
  `${slugOf(domain, LONGEST_DOMAIN) || 'adapter'}-${method}-r${rank}`;

/** OpenAI's id of a trained model, `ft:<base>:<organisation>:<suffix>:<id>`; the suffix may be empty. */
export const modelIdOf = (parts: { base: string; organisation: string; suffix: string; id: string }): string => {
  const short = parts.id.replaceAll('-', '').slice(0, SHORT_ID);
  return `ft:${parts.base}:${parts.organisation}:${slugOf(parts.suffix, LONGEST_SUFFIX)}:${short}`;
};

const DOMAIN_TAG = /^domain:(.+)$/i;

/** Tags of the form `domain:<word>` name domains; where there is none, every tag does. */
export function domainsOf(tags: readonly string[]): string[] {
  const named = tags.flatMap((tag) => DOMAIN_TAG.exec(tag.trim())?.[1] ?? []);
  const words = named.length > 0 ? named : tags;
  return [...new Set(words.map((word) => word.trim().toLowerCase()).filter((word) => word !== ''))];
}

/** The configuration's file without folder and ending. */
export const stemOf = (path: string): string => (path.split('/').at(-1) ?? '').replace(/\.[^.]*$/, '');
