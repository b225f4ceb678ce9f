import { citedGroupAt, type CitedGroup } from './cited-provisions.js';
import { canonicalLaw, isLawOfArticles, knownAbbreviation, knownName, lawSlug, socialCodeBook } from './law-names.js';
import { lawMentionAt, lawMentionBefore, type LawMention } from './law-mention.js';
import { GAP, SPACE, sticky, takeAt } from './text-cursor.js';

/** One provision that a text names. */
export interface LegalReference {
  /** The part of the text that names it: `text.slice(start, end)`; those of one range share it. */
  raw: string;
  /** In UTF-16 units; `end` is exclusive. */
  start: number;
  end: number;
  /** Abbreviation such as `VwVfG`, or an unknown law's name; null where it cannot be told. */
  law: string | null;
  sign: '§' | 'Art.';
  /** Such as `35` or `35a`. */
  number: string;
  /** The first Absatz and Satz that are named. */
  paragraph: string | null;
  sentence: string | null;
  /** Canonical, such as `vwvfg:35`; null where the law cannot be told. */
  key: string | null;
}

const MOST_GROUPS = 50;
/** References of one text, after which of a range only both ends are named. */
const MOST_EXPANDED = 10_000;

const SIGN = String.raw`§{1,2}|(?:Artikeln?s?|Art{1,2}\b\.?|Paragra(?:f|ph)(?:en)?s?)(?=[^\S\n]|\n|\d)`;
const sign = new RegExp(String.raw`(?<![\p{L}\d§])(?:${SIGN})`, 'giu');
const signHere = sticky(`(?:${SIGN})`, 'iuy');
const gap = sticky(GAP);
const link = sticky(
  `(?:${GAP},${GAP}(?=§|Art)|(?:${GAP},)?(?:${SPACE}\\(?(?:auch|jeweils))?${SPACE}(?:und|oder|sowie|bzw\\.?|beziehungsweise|` +
    `i\\.?${GAP}v\\.?${GAP}m\\.?|in${SPACE}Verb(?:indung|\\.)${SPACE}mit)(?:${SPACE}|(?=§))(?:(?:mit|den|dem|des|der|die)${SPACE})?)`,
  'iuy',
);

/**
 * All provisions named in the text, in order; takes time linear in its length. A provision without a law belongs to the
 * law that a chain of citations ends with (`§ 4 i. V. m. § 5 BDSG`), else to `ownLaw`.
 */
export function legalReferences(text: string, ownLaw: string | null = null): LegalReference[] {
  const found: LegalReference[] = [];
  const own = ownLaw === null ? null : canonicalLaw(ownLaw);
  sign.lastIndex = 0;
  for (let match = sign.exec(text); match; match = sign.exec(text)) {
    const chain = chainAt(text, match.index, own);
    if (!chain) continue;
    const law = lawOfChain(chain, own);
    for (const group of chain.groups)
      found.push(...referencesOf(text, group, { ...law, mayExpand: found.length < MOST_EXPANDED }));
    sign.lastIndex = chain.end;
  }
  return found;
}

interface Chain {
  groups: CitedGroup[];
  mention: LawMention | null;
  end: number;
}

/** Citations joined by `und`, `i. V. m.` and the like, up to the first that names a law. */
function chainAt(text: string, start: number, ownLaw: string | null): Chain | null {
  const groups: CitedGroup[] = [];
  let at = start;
  while (groups.length < MOST_GROUPS) {
    const cited = groupAt(text, at, ownLaw);
    if (!cited || (groups[0] && groups[0].sign !== cited.group.sign)) break;
    groups.push(cited.group);
    const { mention } = cited;
    if (mention) return { groups, mention, end: mention.end };
    const next = takeAt(link, text, cited.group.end);
    if (!next) break;
    at = cited.group.end + next[0].length;
  }
  const end = groups.at(-1)?.end;
  return end === undefined ? null : { groups, mention: lawMentionBefore(text, start), end };
}

function groupAt(
  text: string,
  start: number,
  ownLaw: string | null,
): { group: CitedGroup; mention: LawMention | null } | null {
  const match = takeAt(signHere, text, start);
  if (!match) return null;
  const word = match[0];
  const isSection = /^(?:§|p)/i.test(word);
  const form = { sign: isSection ? ('§' as const) : ('Art.' as const), plural: /§§|en$|ln$|artt/i.test(word) };
  const at = start + word.length;
  const group = citedGroupAt(text, { start, at: at + (takeAt(gap, text, at)?.[0].length ?? 0) }, form);
  if (!group || text.startsWith('-Gesetz', group.end)) return null;
  const mention = lawMentionAt(text, group.end, ownLaw);
  const mayBeWord = /^art$/i.test(word) && !mention && !(ownLaw !== null && isLawOfArticles(ownLaw));
  if (mayBeWord && !lawMentionBefore(text, start)) return null;
  const last = group.provisions.at(-1);
  if (mention && last) last.end = mention.end;
  return { group: mention || form.plural || !isSection ? group : firstOnly(group), mention };
}

/** `§ 7, 14 Tage`: after a single sign a list counts only where a law ends it. */
function firstOnly(group: CitedGroup): CitedGroup {
  const first = group.provisions[0];
  return first ? { ...group, provisions: [first], end: first.end } : group;
}

interface LawOfChain {
  law: string | null;
  hasKey: boolean;
}

function lawOfChain({ groups, mention }: Chain, own: string | null): LawOfChain {
  if (mention && mention.kind !== 'this')
    return { law: mention.law, hasKey: mention.law !== null && mention.kind === 'named' };
  const fits = own !== null && (mention !== null || isLawOfArticles(own) === (groups[0]?.sign === 'Art.'));
  return { law: fits ? own : null, hasKey: fits };
}

function referencesOf(
  text: string,
  { sign: kind, provisions }: CitedGroup,
  of: LawOfChain & { mayExpand: boolean },
): LegalReference[] {
  const { law, hasKey, mayExpand } = of;
  const slug = law !== null && hasKey ? lawSlug(law) : null;
  return provisions.flatMap(({ numbers, paragraph, sentence, start, end }) =>
    (mayExpand ? numbers : numbers.filter((_, place) => place % (numbers.length - 1 || 1) === 0)).map((number) => ({
      raw: text.slice(start, end),
      start,
      end,
      law,
      sign: kind,
      number,
      paragraph,
      sentence,
      key: slug === null ? null : keyOf(slug, number),
    })),
  );
}

/** Canonical key of a provision, such as `vwvfg:35` or `gg:20`: sections and articles alike, the law without its year. */
export function provisionKey(law: string, number: string): string {
  return keyOf(lawSlug(law), number);
}

function keyOf(slug: string, number: string): string {
  return `${slug}:${number.toLowerCase().replace(/\s/g, '')}`;
}

/** The provision that a heading of a law opens: `§ 35 Begriff des Verwaltungsaktes`, `Art 20`; null for other headings. */
export function provisionOfHeading(heading: string): { sign: '§' | 'Art.'; number: string } | null {
  const match =
    /^\s{0,8}(?:(§|Paragra(?:f|ph)\b)|Art(?:ikel\b|\.|\b))\s{0,8}(\d{1,4}(?: ?[a-z])?)(?![\p{L}\d])(?!\.\d)/iu.exec(
      heading,
    );
  const number = match?.[2]?.replace(' ', '').toLowerCase();
  return match && number !== undefined ? { sign: match[1] === undefined ? 'Art.' : '§', number } : null;
}

/**
 * Abbreviation of the law that a document is: by `jurabk` of its front matter, or by a title such as
 * `Verwaltungsverfahrensgesetz (VwVfG)` where its headings, if it has any, are those of a law. Null for other documents.
 */
export function lawOf(input: {
  frontMatter?: Record<string, string>;
  title?: string | null;
  headings: string[];
}): string | null {
  const { frontMatter = {}, title, headings } = input;
  const stated = Object.entries(frontMatter)
    .find(([key]) => /^(?:jurabk|amtabk)$/i.test(key))?.[1]
    ?.trim();
  if (stated) return canonicalLaw(stated);
  if (headings.length > 0 && !headings.some((heading) => provisionOfHeading(heading))) return null;
  for (const name of [title ?? '', ...headings.slice(0, 3)]) {
    const law = lawOfTitle(name) ?? (headings.length > 0 ? lawInBrackets(name) : null);
    if (law !== null) return law;
  }
  return null;
}

const lawTitle =
  /^(?:\p{Lu}[\p{L}-]*e[rs]? ){0,2}(?:[\p{L}-]*(?:gesetz|gesetzbuch|ordnung|satzung)\b|Sozialgesetzbuch|Zollkodex)/iu;

/** The end of a title that was broken over two lines still has the abbreviation of its law; its headings are those of one. */
function lawInBrackets(title: string): string | null {
  const abbreviation = /\(([^()]{2,40})\)$/.exec(title.trim())?.[1]?.replace(/ (?:19|20)\d\d$/, '');
  return abbreviation === undefined ? null : knownAbbreviation(abbreviation);
}

function lawOfTitle(title: string): string | null {
  const plain = title.slice(0, 500).replace(/\s+/g, ' ').trim();
  const words = plain.match(/[\p{L}\d/-]+/gu) ?? [];
  const book = /^(\p{L}+) Buch Sozialgesetzbuch|^Sozialgesetzbuch.*?\b(\p{L}+) Buch/u.exec(plain);
  const social = book && socialCodeBook(book[1] ?? book[2] ?? '');
  if (social !== null) return social;
  const known = knownName(words);
  if (!lawTitle.test(plain) && known === null) return null;
  const bracketed = /[(–-] ?((?:\d{1,2}\. ?)?\p{Lu}[\p{L}-]{0,14}(?: (?:\d{1,4}|[IVX]+|\p{Lu}{2,3}))?)\)?$/u.exec(
    plain,
  )?.[1];
  if (bracketed !== undefined && /\p{Lu}.*(?:\p{Lu}|\d)/u.test(bracketed)) return canonicalLaw(bracketed);
  return known && known.words === words.length ? known.law : null;
}
