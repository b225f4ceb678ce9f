import { SaxesParser } from 'saxes';
import { UnreadableFile } from '../../modules/documents/document-parser.port.js';

/** What is told of an XML text, in order. Names are without their prefix. */
export interface XmlHandler {
  open(name: string, attributes: Readonly<Record<string, string>>): void;
  text(text: string): void;
  close(name: string): void;
}

const DEEPEST = 10_000;

const localName = (name: string): string => name.slice(name.indexOf(':') + 1);

/**
 * Reads XML; entities of a document type are not known, so nothing is fetched and nothing grows.
 * @throws UnreadableFile broken where it is not well formed
 */
export function readXml(pieces: Iterable<string>, handler: XmlHandler): void {
  const reader = xmlReader(handler);
  for (const piece of pieces) reader.write(piece);
  reader.end();
}

/** The same piece by piece. */
export function xmlReader(handler: XmlHandler): { write(piece: string): void; end(): void } {
  const parser = new SaxesParser({ xmlns: false, position: true });
  let depth = 0;
  parser.on('error', (error) => {
    // The reference stays in the text as it is written.
    if (/undefined entity/.test(error.message)) return;
    throw new UnreadableFile('broken', `The XML is not well formed: ${error.message.slice(0, 200)}`);
  });
  parser.on('opentag', (tag) => {
    if (++depth > DEEPEST) throw new UnreadableFile('broken', `The XML is nested deeper than ${DEEPEST} elements`);
    handler.open(localName(tag.name), tag.attributes);
  });
  parser.on('closetag', (tag) => {
    depth--;
    handler.close(localName(tag.name));
  });
  parser.on('text', (text) => handler.text(text));
  parser.on('cdata', (text) => handler.text(text));
  return { write: (piece) => void parser.write(piece), end: () => void parser.close() };
}
