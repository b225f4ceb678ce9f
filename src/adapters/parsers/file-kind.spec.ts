import { documentFixture, goodFiles, zipOf } from '../../../test/fixtures/document-files.js';
import { ParsingFolder } from '../../../test/fixtures/parsing.js';
import { documentKinds } from '../../modules/documents/document-parser.port.js';
import { textKind } from './text-kind.js';

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const GIF = Buffer.from('GIF89a\x01\x00\x01\x00\x80\x00\x00', 'latin1');
const ELF = Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]), Buffer.alloc(200)]);

describe('the kind of a file', () => {
  let folder: ParsingFolder;
  beforeAll(async () => {
    folder = await ParsingFolder.make();
  });
  afterAll(() => folder.remove());

  it.each(documentKinds.filter((kind) => !['md', 'txt', 'csv', 'tsv'].includes(kind)))(
    '%s is known by its content under any name',
    async (kind) => {
      const bytes = await goodFiles[kind]();
      for (const name of ['ohne-endung', 'falsch.txt', 'falsch.pdf', 'falsch.csv'])
        expect((await folder.parse(bytes, name)).kind).toBe(kind);
    },
  );

  it.each([
    ['an image', GIF, 'foto.gif', 'unsupported', 'an image (image/gif)'],
    ['an image that is named pdf', GIF, 'scan.pdf', 'unsupported', 'an image'],
    ['a picture where none are read', PNG, 'scan.pdf', 'no_text', 'CLARA_OCR=on'],
    ['a program', ELF, 'setup.docx', 'unsupported', 'a program'],
    ['an archive', zipOf({ 'a.txt': 'x' }), 'a.docx', 'unsupported', 'an archive'],
    [
      'a spreadsheet of a kind not read',
      zipOf({ mimetype: 'application/vnd.oasis.opendocument.spreadsheet' }),
      'a.ods',
      'unsupported',
      'opendocument.spreadsheet',
    ],
    ['text under the name of a PDF', Buffer.from('Nur Text'), 'a.pdf', 'broken', 'named .pdf'],
    ['zeros', Buffer.alloc(1000), 'a.pdf', 'broken', 'zeros'],
    ['nothing', Buffer.alloc(0), 'a.txt', 'empty', '0 bytes'],
    ['blanks', Buffer.from(' \n\n '), 'a.txt', 'empty', 'no text'],
  ])('%s is refused with its reason', async (_what, bytes, name, reason, words) => {
    const refusal = await folder.refusal(bytes, name);
    expect(refusal).toMatchObject({ reason, message: expect.stringContaining(words) });
    if (reason === 'unsupported') expect(refusal?.message).toContain('Supported are pdf, docx');
  });

  it('a cut Word file is named as such', async () => {
    const bytes = await goodFiles.docx();
    expect(await folder.refusal(bytes.subarray(0, bytes.length / 2), 'a.docx')).toMatchObject({
      reason: 'broken',
      message: expect.stringContaining('a docx whose end is missing'),
    });
  });

  it('an OLE file whose sectors run in a circle is broken, not read for ever', async () => {
    const bytes = Buffer.from(await documentFixture('bescheid.doc'));
    const table = (bytes.readUInt32LE(76) + 1) * 512;
    for (let at = 0; at < 128; at++) bytes.writeUInt32LE(0, table + at * 4);
    expect(await folder.refusal(bytes, 'a.doc')).toMatchObject({ reason: 'broken' });
  });

  it.each([
    ['# Titel\n\n- eins\n- zwei\n', '', 'md'],
    ['---\ntitle: x\n---\nText', '', 'md'],
    ['Ein Satz, mit Komma.\nUnd noch einer, mit mehr.\n', '', 'txt'],
    ['a;b;c\n1;2;3\n4;5;6\n7;8;9\n1;1;1\n', '', 'csv'],
    ['a\tb\n1\t2\n3\t4\n5\t6\n7\t8\n', '', 'tsv'],
    ['a\tb\n1\t2\n', 'x.csv', 'tsv'],
    ['a;b\n1;2\n', 'x.tsv', 'csv'],
    ['a;b\n1;2\n', 'x.txt', 'txt'],
    ['# Kein Markdown', 'x.txt', 'txt'],
    ['<p>Absatz</p>', 'x', 'html'],
    ['<gesetz><a/></gesetz>', 'x', 'xml'],
    ['<!-- x --><!DOCTYPE html><html>', 'x.txt', 'html'],
    ['<b>fett</b> in Markdown', 'x.md', 'md'],
    ['{"a": 1}', 'x.txt', 'json'],
    ['[1, 2]', 'x', 'json'],
    ['[Anlage] zum Bescheid', 'x', 'txt'],
    ['{kein JSON}', 'x', 'txt'],
    ['From: a@b.de\nSubject: x\n\nText', 'x', 'eml'],
    ['Von: mir\nAn: dich\n\nText', 'x', 'txt'],
    ['Hinweis: x\nSubject: y', 'x', 'txt'],
    ['{\\rtf1 x}', 'x.txt', 'rtf'],
  ])('text %j as "%s" is %s', (text, name, kind) => {
    expect(textKind(text, name)).toBe(kind);
  });
});
