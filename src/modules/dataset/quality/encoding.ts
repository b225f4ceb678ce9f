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
  /** `Verwal-⏎tung`, `Verwal- tung`; not `Bau- und Planungsrecht`. */
  hyphenation:
    /(?<=\p{Ll}{2})(?:[-\u00AD]\s*\n\s*|\u00AD|- )(?=\p{Ll}{2})(?!(?:und|oder|bzw|sowie|als|wie|noch|and|or|bis|beziehungsweise|statt|aber|nicht|u|o)(?!\p{L}))/gu,
} satisfies Record<string, RegExp>;

const REJECTED_SHARE = 0.02;
/** A single broken sign in a long text does not spoil it. */
const NOTED_SHARE = 0.0005;

/** The score falls from 1 without damage to 0 where a twentieth of the characters is damaged. */
export function checkEncoding(text: string): Finding {
  const found = Object.entries(damages).map(([kind, pattern]) => {
    const matches = text.match(pattern) ?? [];
    return { kind, times: matches.length, characters: matches.join('').length };
  });
  const damaged = found.reduce((sum, { characters }) => sum + characters, 0) / Math.max(1, text.length);
  const kinds = found.filter(({ times }) => times > 0);
  const detail = { ...Object.fromEntries(kinds.map(({ kind, times }) => [kind, times])), share: share(damaged) };
  if (kinds.length === 0) return { check: 'encoding', score: 1, verdict: 'ok', reason: 'No damaged characters' };
  const list = kinds.map(({ kind, times }) => `${kind.replace('_', ' ')} ${times} times`).join(', ');
  const verdict = damaged >= REJECTED_SHARE ? 'reject' : damaged >= NOTED_SHARE ? 'warn' : 'ok';
  return { check: 'encoding', score: share(1 - 20 * damaged), verdict, reason: `Damaged characters: ${list}`, detail };
}
