import iconv from 'iconv-lite';
import { ParsingFolder } from '../../../test/fixtures/parsing.js';
import { declaredEncoding, guessEncoding, markedEncoding, wideEncoding } from './text-encoding.js';

const GERMAN =
  'Die Behörde prüft, ob das Grundstück an der Äußeren Königstraße gemäß § 35 genehmigungsfähig ist.\nÖffentliche Straßen und Wege über 3 Meter müssen für die Bürger zugänglich sein.\n';

describe('the encoding of a text', () => {
  let folder: ParsingFolder;
  beforeAll(async () => {
    folder = await ParsingFolder.make();
  });
  afterAll(() => folder.remove());

  const read = async (bytes: Buffer, name = 'a.txt'): Promise<string> =>
    (await folder.parse(bytes, name)).blocks.map(({ text }) => text).join('\n');

  it.each(['utf-8', 'utf-16le', 'utf-16be', 'windows-1252', 'iso-8859-15', 'macintosh', 'cp850'])(
    'is found in a German text without a mark: %s',
    async (name) => {
      expect(await read(iconv.encode(GERMAN, name))).toContain('Äußeren Königstraße gemäß § 35');
    },
  );

  it.each(['utf-8', 'utf-16le', 'utf-16be', 'utf-32le'])('is told by its byte order mark: %s', async (name) => {
    expect(await read(iconv.encode(GERMAN, name, { addBOM: true }))).toMatch(/^Die Behörde/);
  });

  it('euro and quotes tell Windows-1252 from Latin-9', () => {
    expect(guessEncoding(iconv.encode('„Gebühr“ – 150 €', 'windows-1252'))).toBe('windows-1252');
    expect(guessEncoding(iconv.encode('Gebühr für Maße: 150 €', 'iso-8859-15'))).toBe('iso-8859-15');
  });

  it('other scripts are left to the detector', async () => {
    const russian = 'Ведомство рассматривает заявление гражданина о выдаче разрешения на строительство дома. '.repeat(
      5,
    );
    expect(await read(iconv.encode(russian, 'windows-1251'))).toContain('разрешения на строительство');
  });

  it('a text with a few damaged bytes stays UTF-8, and says so', async () => {
    const bytes = Buffer.concat([Buffer.from(GERMAN.repeat(5)), Buffer.from([0xff]), Buffer.from(' Ende')]);
    const document = await folder.parse(bytes, 'a.txt');
    expect(document.blocks.at(-1)?.text).toContain('\uFFFD Ende');
    expect(document.warnings).toEqual(['1 byte(s) are not valid UTF-8; they are shown as \uFFFD']);
  });

  it('what HTML and XML declare counts, unless the bytes are UTF-8 or carry a mark', async () => {
    const html = (charset: string): string =>
      `<!DOCTYPE html><html><head><meta charset="${charset}"></head><body><p>Straße Čapek</p></body></html>`;
    expect(await read(iconv.encode(html('windows-1250'), 'windows-1250'), 'a.html')).toBe('Straße Čapek');
    expect(await read(Buffer.from(html('windows-1250')), 'a.html')).toBe('Straße Čapek');
    const xml = iconv.encode('<?xml version="1.0" encoding="ISO-8859-1"?><a>Größe</a>', 'latin1');
    expect(await read(xml, 'a.xml')).toBe('Größe');
    const wrong = await folder.parse(
      iconv.encode('<?xml version="1.0" encoding="UTF-8"?><a>Größe und Höhe für Äcker</a>', 'latin1'),
      'a.xml',
    );
    expect(wrong.blocks[0]?.text).toBe('Größe und Höhe für Äcker');
    expect(wrong.warnings[0]).toMatch(/^declared as UTF-8, but it is not; read as /);
  });

  it('a declaration of a wide or unknown encoding is not believed', () => {
    expect(declaredEncoding(Buffer.from('<?xml version="1.0" encoding="UTF-16"?>'))).toBeNull();
    expect(declaredEncoding(Buffer.from('<meta charset="klingon">'))).toBeNull();
    expect(declaredEncoding(Buffer.from('<meta http-equiv="x" content="text/html; charset=ISO-8859-1">'))).toBe(
      'windows-1252',
    );
  });

  it('marks and wide texts', () => {
    expect(markedEncoding(Buffer.from([0xef, 0xbb, 0xbf, 0x41]))).toEqual({ name: 'utf-8', skip: 3 });
    expect(markedEncoding(Buffer.from('Text'))).toBeNull();
    expect(wideEncoding(Buffer.from('Hallo Welt', 'utf16le'))).toEqual({ name: 'utf-16le', skip: 0 });
    expect(wideEncoding(Buffer.from('Hallo Welt'))).toBeNull();
  });
});
