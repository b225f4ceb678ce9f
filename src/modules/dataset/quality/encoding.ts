import { share, type Finding } from './finding.js';

/** What the bytes 80 to BF of UTF-8 become when they are read as Windows-1252 or ISO 8859-1. */
const TRAIL = '[\\u0080-\\u00BF€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]';

/** Kinds of damage; each match is counted with its length. */
const damages = {
  mojibake: new RegExp(
    `[ÂÃ]${TRAIL}|[Äå][\\u0080-\\u009F‚ƒ„†‡ˆ‰‹Œ‘’“”•˜™›œ]|â(?:€${TRAIL}|[\\u0080-\\u009F]${TRAIL}|‚¬|„¢)|Ã(?=[\\s.,;]|$)(?<![A-Z]Ã)|ï»¿|ðŸ${TRAIL}{2}`,
    'gu',
  ),
  replacement: /\uFFFD+/gu,
  // oxlint-disable-next-line no-control-regex
  control: /[\u0000-\u0008\u000B\u000E-\u001F\u007F\u0080-\u0084\u0086-\u009F]+/gu,
  /** Signs of a font's own, or numbers instead of letters, as bad PDF layers have them. */
  private_use: /[\uE000-\uF8FF]+|\(cid:\d+\)/gu,
  lone_surrogate: /\p{Surrogate}+/gu,
  /** `Verwal-⏎tung`, `Verwal- tung`; not `Bau- und Planungsrecht`, nor `nicht-⏎öffentlich` and `öffentlich-⏎rechtlich`. */
  hyphenation:
    /(?<=\p{Ll}{2})(?<!(?:nicht|lich|isch|privat))(?:[-\u00AD]\s{0,20}\n\s{0,20}|\u00AD|- )(?=\p{Ll}{2})(?!(?:und|oder|bzw|sowie|als|wie|noch|and|or|bis|beziehungsweise|statt|aber|nicht|zu[mr]?|in|im|für|mit|von|to)(?!\p{L}))/gu,
} satisfies Record<string, RegExp>;

const REJECTED_SHARE = 0.02;
/** A single broken sign in a long text does not spoil it. */
const NOTED_SHARE = 0.0005;

/** So many words cut at the end of a line are more than a mishap. */
const MANY_CUT = 2;

/**
 * The score falls from 1 without damage to 0 where a twentieth of the characters is damaged. Cut words can be read, so
 * they warn and never reject.
 */
export function checkEncoding(text: string): Finding {
  const found = Object.entries(damages).map(([kind, pattern]) => {
    const matches = text.match(pattern) ?? [];
    return { kind, times: matches.length, characters: matches.join('').length };
  });
  const kinds = found.filter(({ times }) => times > 0);
  if (kinds.length === 0) return { check: 'encoding', score: 1, verdict: 'ok', reason: 'No damaged characters' };
  const damaged = shareOf(text, kinds);
  const unreadable = shareOf(
    text,
    kinds.filter(({ kind }) => kind !== 'hyphenation'),
  );
  const cut = kinds.find(({ kind }) => kind === 'hyphenation')?.times ?? 0;
  const list = kinds.map(({ kind, times }) => `${kind.replace('_', ' ')} ${times} times`).join(', ');
  return {
    check: 'encoding',
    score: share(1 - 20 * damaged),
    verdict: verdictOf(unreadable, cut),
    reason: `Damaged characters: ${list}`,
    detail: { ...Object.fromEntries(kinds.map(({ kind, times }) => [kind, times])), share: share(damaged) },
  };
}

const shareOf = (text: string, kinds: { characters: number }[]): number =>
  kinds.reduce((sum, { characters }) => sum + characters, 0) / Math.max(1, text.length);

function verdictOf(unreadable: number, cut: number): Finding['verdict'] {
  if (unreadable >= REJECTED_SHARE) return 'reject';
  return unreadable >= NOTED_SHARE || cut >= MANY_CUT ? 'warn' : 'ok';
}
