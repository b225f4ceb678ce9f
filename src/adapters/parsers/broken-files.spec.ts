import { brokenOf, hostile } from '../../../test/fixtures/broken-files.js';
import { goodFiles } from '../../../test/fixtures/document-files.js';
import { ParsingFolder } from '../../../test/fixtures/parsing.js';
import { documentKinds, UnreadableFile } from '../../modules/documents/document-parser.port.js';

const LONGEST_MS = 5000;
/** A text that was cut or scrambled is another text, and may even look like another kind of text. */
const texts = ['txt', 'md', 'html', 'csv', 'tsv', 'json', 'xml', 'eml', 'rtf'];

describe('broken files', () => {
  let folder: ParsingFolder;
  beforeAll(async () => {
    folder = await ParsingFolder.make();
  });
  afterAll(() => folder.remove());

  it.each(documentKinds)(
    '%s: each ends in a document or an error that says what is wrong',
    async (kind) => {
      const cases = [...brokenOf(await goodFiles[kind]()), ...hostile[kind]()];
      expect(cases.length).toBeGreaterThanOrEqual(20);
      for (const [what, bytes] of cases) {
        const started = Date.now();
        const outcome = await folder.parse(bytes, `datei.${kind}`).catch((error: unknown) => error);
        const took = Date.now() - started;
        if (outcome instanceof UnreadableFile) expect(outcome.message).toMatch(/^[A-Z"].{15,}/);
        else expect([what, outcome]).toEqual([what, expect.objectContaining({ kind: expectedKind(kind) })]);
        expect({ what, slow: took > LONGEST_MS }).toEqual({ what, slow: false });
      }
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    },
    60_000,
  );
});

const expectedKind = (kind: string): unknown =>
  texts.includes(kind) ? expect.stringMatching(new RegExp(`^(?:${texts.join('|')})$`)) : kind;
