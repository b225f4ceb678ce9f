import { goodFiles } from '../../../test/fixtures/document-files.js';
import { ParsingFolder } from '../../../test/fixtures/parsing.js';
import { archiveKinds } from '../../modules/documents/archive-reader.port.js';
import { kindOfName, supportedFileTypes } from './supported.js';

const { categories, all_extensions: extensions } = supportedFileTypes('no pictures');
const documents = extensions.filter((extension) => !categories.archive.includes(extension));

describe('the supported file types', () => {
  let folder: ParsingFolder;
  beforeAll(async () => {
    folder = await ParsingFolder.make();
  });
  afterAll(() => folder.remove());

  it.each(documents)('%s is read', async (extension) => {
    const kind = kindOfName(`datei${extension}`);
    if (kind === null || kind === 'png' || kind === 'jpg') throw new Error(`no kind for ${extension}`);
    const document = await folder.parse(await goodFiles[kind](), `datei${extension.toUpperCase()}`);
    expect(document).toMatchObject({ kind, warnings: kind === 'pdf' || kind === 'eml' ? expect.anything() : [] });
  });

  it('every kind of archive is listed, and 7z is not', () => {
    expect(categories.archive).toEqual(expect.arrayContaining(archiveKinds.map((kind) => `.${kind}`)));
    expect(extensions).not.toContain('.7z');
  });

  it('pictures are listed where they are read', () => {
    const read = supportedFileTypes('pictures');
    expect(read.categories.picture).toEqual(['.png', '.jpg', '.jpeg']);
    expect(read.all_extensions).toEqual(expect.arrayContaining(['.jpeg', '.pdf']));
    expect(extensions).not.toContain('.png');
  });

  it('each extension is in one category', () => {
    expect(new Set(extensions).size).toBe(extensions.length);
    expect(Object.values(categories).flat().toSorted()).toEqual(extensions);
  });
});
