import { share, type Finding } from './finding.js';
import { folded } from './normalised.js';

/** Folded lines that belong to the page, not to the text. */
const lines = {
  page_number: /^(?:seite|page|blatt|s) \d{1,4}(?: (?:von|of)? ?\d{1,4})?$|^\d{1,4} (?:von|of) \d{1,4}$/,
  cookies:
    /(?:wir|diese (?:web)?seite|unsere website|this (?:web)?site|we) (?:verwende[nt]|nutz(?:en|t)|setz(?:en|t)|uses?) .{0,40}cookies|cookies? (?:akzeptieren|zulassen|ablehnen|einstellungen|accept)|(?:alle )?akzeptieren|accept all(?: cookies)?|cookie (?:hinweis|richtlinie|policy|banner)/,
  navigation:
    /^(?:(?:startseite|home|menue?|suche|suchen|kontakt|impressum|datenschutz(?:erklaerung)?|barrierefreiheit|sitemap|login|anmelden|abmelden|warenkorb|newsletter|agb|hilfe|faq|about|search|privacy(?: policy)?|terms of use|imprint|leichte sprache|gebaerdensprache|english|deutsch) ?){1,20}$/,
  page_controls:
    /^(?:(?:zum|zur) (?:seitenanfang|inhalt|navigation|hauptinhalt|suche)(?: springen)?|nach oben|back to top|skip to (?:main )?content|(?:seite )?(?:drucken|teilen|empfehlen|vorlesen)|print|share|mehr (?:erfahren|lesen|anzeigen)|weiterlesen|read more|zurueck(?: zur uebersicht)?|weiter|next|previous|sie sind hier.*|inhaltsverzeichnis|table of contents|nichtamtliches inhaltsverzeichnis)$/,
  footer:
    /^(?:copyright .{0,60}|alle rechte vorbehalten.{0,40}|all rights reserved.{0,40}|(?:stand|version|druckdatum|ausgedruckt am|printed on) \d.{0,30}|ein service des bundesministeriums .{0,140}|.{0,60}www [a-z0-9 ]{3,60} (?:de|com|org|eu))$/,
} satisfies Record<string, RegExp>;

/** As the lines stand, where their signs matter: `12`, `- 12 -`, but not `12.` of a list. */
const signed = {
  page_number: /^(?:[-–—|] ?)?\d{1,4}(?: ?\/ ?\d{1,4})?(?: ?[-–—|])?$/u,
  footer: /^(?:©|\(c\) (?:19|20)\d\d)/iu,
  table_of_contents: /(?:\. ?){5,200}\s{0,9}\d{1,4}$/u,
} satisfies Record<string, RegExp>;

/** Characters; longer lines are text. */
const LONGEST = 300;
const REPEATED_FROM = 3;
const SHORTEST_REPEATED = 16;
const REJECTED_SHARE = 0.5;
const NOTED_SHARE = 0.1;

/** Lines that belong to the page, and lines that stand there three times or more. */
export function checkBoilerplate(text: string): Finding {
  const all = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => ({ line, plain: folded(line) }));
  const repeated = repeatedOf(all.map(({ plain }) => plain));
  const counts = new Map<string, number>();
  let page = 0;
  for (const { line, plain } of all) {
    const kind = kindOf(line, plain) ?? (repeated.has(plain) ? 'repeated_line' : undefined);
    if (kind === undefined) continue;
    page += line.length;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return finding(page / Math.max(1, lengthOf(all)), counts);
}

const lengthOf = (all: { line: string }[]): number => all.reduce((sum, { line }) => sum + line.length, 0);

function repeatedOf(plain: string[]): Set<string> {
  const counts = new Map<string, number>();
  for (const line of plain) counts.set(line, (counts.get(line) ?? 0) + 1);
  const repeated = Array.from(counts).filter(
    ([line, count]) => line.length >= SHORTEST_REPEATED && count >= REPEATED_FROM,
  );
  return new Set(repeated.map(([line]) => line));
}

function kindOf(line: string, plain: string): string | undefined {
  if (line.length > LONGEST) return undefined;
  const named =
    Object.entries(signed).find(([, pattern]) => pattern.test(line)) ??
    Object.entries(lines).find(([, pattern]) => pattern.test(plain));
  return named?.[0];
}

function finding(part: number, counts: ReadonlyMap<string, number>): Finding {
  if (counts.size === 0)
    return { check: 'boilerplate', score: 1, verdict: 'ok', reason: 'No lines of page furniture or navigation' };
  const list = Array.from(counts, ([kind, count]) => `${kind.replaceAll('_', ' ')} (${count})`).join(', ');
  return {
    check: 'boilerplate',
    score: share(1 - part),
    verdict: part >= REJECTED_SHARE ? 'reject' : part >= NOTED_SHARE ? 'warn' : 'ok',
    reason: `${Math.round(part * 100)} % of the text is boilerplate: ${list}`,
    detail: { ...Object.fromEntries(counts), share: share(part) },
  };
}
