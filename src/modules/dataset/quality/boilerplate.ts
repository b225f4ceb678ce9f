import { share, type Finding } from './finding.js';
import { folded } from './normalised.js';

/** Folded lines that belong to the page, not to the text. */
const lines = {
  page_number: /^(?:(?:seite|page|blatt|s) \d{1,4}(?: (?:von|of|\/)? ?\d{1,4})?|\d{1,4}(?: (?:von|of) \d{1,4})?)$/,
  cookies:
    /(?:wir|diese (?:web)?seite|unsere website|this (?:web)?site|we) (?:verwende[nt]|nutz(?:en|t)|setz(?:en|t)|uses?) .{0,40}cookies|cookies? (?:akzeptieren|zulassen|ablehnen|einstellungen|accept)|(?:alle )?akzeptieren|accept all(?: cookies)?|cookie (?:hinweis|richtlinie|policy|banner)/,
  navigation:
    /^(?:(?:startseite|home|menue?|suche|suchen|kontakt|impressum|datenschutz(?:erklaerung)?|barrierefreiheit|sitemap|login|anmelden|abmelden|warenkorb|newsletter|agb|hilfe|faq|about|search|privacy(?: policy)?|terms of use|imprint|leichte sprache|gebaerdensprache|english|deutsch) ?){1,20}$/,
  page_controls:
    /^(?:(?:zum|zur) (?:seitenanfang|inhalt|navigation|hauptinhalt|suche)(?: springen)?|nach oben|back to top|skip to (?:main )?content|(?:seite )?(?:drucken|teilen|empfehlen|vorlesen)|print|share|mehr (?:erfahren|lesen|anzeigen)|weiterlesen|read more|zurueck(?: zur uebersicht)?|weiter|next|previous|sie sind hier.*|inhaltsverzeichnis|table of contents|nichtamtliches inhaltsverzeichnis)$/,
  footer:
    /^(?:(?:c|copyright|©) ?(?:\d{4} )?.{0,60}|alle rechte vorbehalten.{0,40}|all rights reserved.{0,40}|(?:stand|version|druckdatum|ausgedruckt am|printed on) \d.{0,30}|ein service des bundesministeriums .{0,140}|.{0,60}www [a-z0-9 ]{3,60} (?:de|com|org|eu))$/,
} satisfies Record<string, RegExp>;

/** `........ 12` of a table of contents. */
const LEADER = /(?:\.\s?){5,}\s*\d{1,4}\s*$/u;
const REPEATED_FROM = 3;
const SHORTEST_REPEATED = 8;
const REJECTED_SHARE = 0.5;
const NOTED_SHARE = 0.1;

/** Lines that belong to the page, and lines that stand there three times or more; each once is left to the text. */
export function checkBoilerplate(text: string): Finding {
  const counts = new Map<string, number>();
  const found = new Map<string, number>();
  let [page, whole] = [0, 0];
  for (const line of text.split('\n').map((raw) => raw.trim())) {
    const plain = folded(line);
    if (plain === '') continue;
    whole += line.length;
    counts.set(plain, (counts.get(plain) ?? 0) + 1);
    const kind = kindOf(line, plain, counts);
    if (kind === undefined) continue;
    page += line.length;
    found.set(kind, (found.get(kind) ?? 0) + 1);
  }
  return finding(page / Math.max(1, whole), found, counts);
}

function kindOf(line: string, plain: string, counts: ReadonlyMap<string, number>): string | undefined {
  if (LEADER.test(line)) return 'table_of_contents';
  const named = Object.entries(lines).find(([, pattern]) => plain.length < 300 && pattern.test(plain));
  if (named) return named[0];
  return plain.length >= SHORTEST_REPEATED && (counts.get(plain) ?? 0) > 1 ? 'repeated_line' : undefined;
}

/** A line that stands there twice only, as a refrain or a heading may, is no boilerplate. */
function finding(part: number, found: Map<string, number>, counts: ReadonlyMap<string, number>): Finding {
  const most = Math.max(0, ...counts.values());
  if (most < REPEATED_FROM && found.size === 1 && found.has('repeated_line')) found.clear();
  if (found.size === 0)
    return { check: 'boilerplate', score: 1, verdict: 'ok', reason: 'No lines of page furniture or navigation' };
  const list = Array.from(found, ([kind, count]) => `${kind.replaceAll('_', ' ')} (${count})`).join(', ');
  return {
    check: 'boilerplate',
    score: share(1 - part),
    verdict: part >= REJECTED_SHARE ? 'reject' : part >= NOTED_SHARE ? 'warn' : 'ok',
    reason: `${Math.round(part * 100)} % of the text is boilerplate: ${list}`,
    detail: { ...Object.fromEntries(found), share: share(part) },
  };
}
