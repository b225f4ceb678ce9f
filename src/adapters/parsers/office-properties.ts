import { factsOf } from './front-matter.js';
import type { Parts } from './zip-parts.js';
import { readXml } from './xml-events.js';

const WANTED =
  /^(?:title|creator|initial-creator|subject|description|keywords|keyword|created|creation-date|modified|date|language)$/;

/** What a document says of itself in its part of properties; nothing where there is none. */
export function officeFacts(parts: Parts, name: string): { title: string | null; metadata: Record<string, string> } {
  const facts: Record<string, string> = {};
  let open: string | null = null;
  const part = parts.get(name);
  if (part)
    readXml([part.toString('utf8')], {
      open: (element) => (open = WANTED.test(element) ? element : null),
      text: (text) => {
        if (open) facts[open] = (facts[open] ?? '') + text;
      },
      close: () => (open = null),
    });
  const { title, ...metadata } = factsOf(facts);
  return { title: title ?? null, metadata };
}
