import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lawOf } from '../../language/legal-references.js';
import type { NewChunk } from '../documents/document-publication.port.js';
import { chunksOf } from './chunks.js';
import type { Block } from '../documents/document-parser.port.js';
import { estimateTokens } from './token-estimate.js';

const laws = join(import.meta.dirname, '../../../../shared/data/gesetze');
const heading = (level: number, text: string): Block => ({ kind: 'heading', level, text });
const paragraph = (text: string, page?: number): Block => ({
  kind: 'paragraph',
  text,
  ...(page === undefined ? {} : { page }),
});
const item = (text: string): Block => ({ kind: 'list_item', text });
const row = (text: string): Block => ({ kind: 'table_row', text });

const estimate = (texts: string[]): Promise<number[]> => Promise.resolve(texts.map(estimateTokens));
const chunked = (blocks: Block[], options: Partial<Parameters<typeof chunksOf>[1]> = {}): Promise<NewChunk[]> =>
  chunksOf(blocks, { maxTokens: 100, overlapTokens: 0, law: null, countTokens: estimate, ...options });

const bare = (text: string): string => text.replace(/\s+/g, '');
const bodyOf = (blocks: Block[]): string =>
  bare(blocks.flatMap((block) => (block.kind === 'heading' ? [] : [block.text])).join(' '));
const together = (chunks: NewChunk[]): string => bare(chunks.map(({ content }) => content).join(' '));
const sentence = (n: number): string => `Dies ist der Satz mit der Nummer ${String(n)} und er endet hier.`;
const sentences = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, place) => sentence(from + place)).join(' ');

/** Small numbers from a seed, the same on every run. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) % below;
}

function randomBlocks(seed: number): Block[] {
  const random = randomFrom(seed);
  const words = [
    'Behörde',
    'nach',
    '§ 35 Abs. 1',
    'z. B.',
    'Übermittlungsverordnung',
    'x'.repeat(700),
    '😀😀',
    '1.',
    'und.',
  ];
  const kinds = ['paragraph', 'list_item', 'code', 'quote'] as const;
  return Array.from({ length: 40 }, (_, place): Block => {
    const text = Array.from(
      { length: random(120) },
      () => `${words[random(9)] ?? ''}${random(12) === 0 ? '\n' : ' '}`,
    ).join('');
    return random(5) === 0
      ? heading(1 + random(4), `Titel  ${String(place)}`)
      : { kind: kinds[random(4)] ?? 'quote', text };
  });
}

const hundLaw: Block[] = [
  heading(1, 'Gesetz über das Halten von Hunden (HundeG)'),
  heading(2, 'Teil 1 Allgemeines'),
  heading(3, '§ 1 Zweck'),
  paragraph('(1) Dieses Gesetz regelt das Halten von Hunden. § 3 bleibt unberührt.'),
  paragraph('(2) Es gilt § 35 Satz 1 VwVfG, soweit § 2 nichts anderes bestimmt.'),
  heading(3, '§ 2 Pflichten'),
  paragraph(`(1) ${sentences(1, 3)}`),
  paragraph(`(2) Halter müssen`),
  item('1. den Hund anmelden,'),
  item('2. die Steuer zahlen,'),
  paragraph(`wenn er älter ist. ${sentences(4, 4)}`),
  paragraph(`(3) ${sentences(5, 7)}`),
  heading(3, '§ 3 (weggefallen)'),
  heading(2, 'Teil 2 Schluss'),
  heading(3, '§ 4 Inkrafttreten'),
  paragraph('Das Gesetz tritt am 1. Januar in Kraft.'),
];

describe('chunks of a law', () => {
  it('have their path, provision and references', async () => {
    const [first] = await chunked(hundLaw, { law: 'HundeG' });
    expect(first).toMatchObject({
      ordinal: 0,
      path: ['Gesetz über das Halten von Hunden (HundeG)', 'Teil 1 Allgemeines', '§ 1 Zweck'],
      provision: 'hundeg:1',
      references: ['hundeg:3', 'vwvfg:35', 'hundeg:2'],
      page: null,
    });
  });

  it('keep each section and each Absatz whole where it fits', async () => {
    const chunks = await chunked(hundLaw, { law: 'HundeG', maxTokens: 90 });
    expect(chunks.map(({ provision }) => provision)).toEqual([
      'hundeg:1',
      'hundeg:2',
      'hundeg:2',
      'hundeg:2',
      'hundeg:3',
      'hundeg:4',
    ]);
    const second = chunks.filter(({ provision }) => provision === 'hundeg:2').map(({ content }) => content);
    expect(second.map((content) => content.slice(0, 3))).toEqual(['(1)', '(2)', '(3)']);
    expect(second[1]).toContain('(2) Halter müssen\n1. den Hund anmelden,\n2. die Steuer zahlen,\nwenn er älter ist.');
  });

  it('show a provision without text', async () => {
    const chunks = await chunked(hundLaw, { law: 'HundeG' });
    expect(chunks.find(({ provision }) => provision === 'hundeg:3')).toMatchObject({
      content: '§ 3 (weggefallen)',
      path: ['Gesetz über das Halten von Hunden (HundeG)', 'Teil 1 Allgemeines', '§ 3 (weggefallen)'],
    });
  });

  it('have articles for provisions only in a law of articles', async () => {
    const blocks = [heading(1, 'Art 20'), paragraph('Alle Staatsgewalt geht vom Volke aus.')];
    expect((await chunked(blocks, { law: 'GG' }))[0]?.provision).toBe('gg:20');
    expect((await chunked(blocks, { law: 'BDSG' }))[0]?.provision).toBeNull();
    expect((await chunked(blocks))[0]?.provision).toBeNull();
  });

  it('split an Absatz that is too long at its list, then at sentences', async () => {
    const blocks = [
      heading(1, '§ 1'),
      paragraph('(1) Es müssen'),
      ...Array.from({ length: 12 }, (_, n) => item(`${String(n + 1)}. ${sentence(n)}`)),
      paragraph(`(2) ${sentences(1, 12)}`),
    ];
    const chunks = await chunked(blocks);
    expect(together(chunks)).toBe(bodyOf(blocks));
    for (const { content, tokens } of chunks) {
      expect(tokens).toBeLessThanOrEqual(100);
      expect(content).toMatch(/^(?:\(\d\)|\d+\. |Dies)/);
      expect(content).toMatch(/hier\.$/);
    }
    expect(chunks.filter(({ content }) => content.startsWith('(2)'))).toHaveLength(1);
  });
});

describe('chunks of other texts', () => {
  it('of recognised pages are as sure as the least sure of them', async () => {
    const [chunk] = await chunked([
      { ...paragraph(sentences(1, 1), 1), ocr: 91 },
      { ...paragraph(sentences(2, 2), 2), ocr: 74 },
      paragraph(sentences(3, 3), 3),
    ]);
    expect(chunk).toMatchObject({ page: 1, ocrConfidence: 74 });
  });

  it('a letter: one chunk where it fits', async () => {
    const letter = [paragraph('Sehr geehrte Frau Meier,', 1), paragraph(sentences(1, 2), 1), paragraph('Mit Gruß', 2)];
    expect(await chunked(letter)).toEqual([
      {
        ordinal: 0,
        ocrConfidence: null,
        content: `Sehr geehrte Frau Meier,\n\n${sentences(1, 2)}\n\nMit Gruß`,
        path: [],
        provision: null,
        page: 1,
        references: [],
        tokens: expect.any(Number),
      },
    ]);
  });

  it('a table: its header again where it is split', async () => {
    const blocks = [row('Name | Ort'), ...Array.from({ length: 60 }, (_, n) => row(`Meier ${String(n)} | Köln`))];
    const chunks = await chunked(blocks, { overlapTokens: 20 });
    expect(chunks.length).toBeGreaterThan(2);
    for (const { content } of chunks) expect(content).toMatch(/^Name \| Ort\nMeier \d+ \| Köln\n/);
    const own = chunks.map(({ content }, place) => (place === 0 ? content : content.replace('Name | Ort\n', '')));
    expect(bare(own.join(' '))).toBe(bodyOf(blocks));
  });

  it('a text without any structure: whole sentences, with whole sentences as overlap', async () => {
    const blocks = [paragraph(sentences(1, 40))];
    const chunks = await chunked(blocks, { overlapTokens: 40 });
    expect(chunks.length).toBeGreaterThan(5);
    for (const [place, { content, tokens }] of chunks.entries()) {
      expect(tokens).toBeLessThanOrEqual(100);
      const numbers = [...content.matchAll(/Nummer (\d+)/g)].map(([, number]) => Number(number));
      expect(content).toBe(sentences(numbers[0] ?? 0, numbers.at(-1) ?? 0));
      const before = [...(chunks[place - 1]?.content ?? '').matchAll(/Nummer (\d+)/g)].map(([, number]) =>
        Number(number),
      );
      if (place > 0) expect(before.slice(-2)).toContain(numbers[0]);
    }
  });

  it('no overlap from one section into the next', async () => {
    const blocks = [heading(1, 'A'), paragraph(sentences(1, 12)), heading(1, 'B'), paragraph(sentence(99))];
    const chunks = await chunked(blocks, { overlapTokens: 40 });
    expect(chunks.at(-1)).toMatchObject({ path: ['B'], content: sentence(99) });
  });

  it('50,000 characters without a space', async () => {
    const blocks = [paragraph('Donaudampfschiff'.repeat(3_125))];
    const chunks = await chunked(blocks);
    expect(together(chunks)).toBe(bodyOf(blocks));
    for (const { tokens } of chunks) expect(tokens).toBeLessThanOrEqual(100);
  });

  it('nothing: no chunk', async () => {
    expect(await chunked([])).toEqual([]);
    expect(await chunked([paragraph(' \n ')])).toEqual([]);
  });

  it('a heading too long for a path is text as well', async () => {
    const long = sentences(1, 20);
    const chunks = await chunked([heading(1, long), paragraph('Text.')]);
    expect(chunks[0]?.path[0]).toHaveLength(300);
    expect(together(chunks)).toBe(bare(`${long} Text.`));
  });
});

describe('any blocks', () => {
  it.each(Array.from({ length: 12 }, (_, seed) => seed))(
    'every character in one chunk, none too long: seed %i',
    async (seed) => {
      const blocks = randomBlocks(seed);
      const maxTokens = 16 + seed * 20;
      const chunks = await chunked(blocks, { maxTokens });
      const headingsShown = chunks.filter(({ content, path }) => content === path.at(-1)).map(({ ordinal }) => ordinal);
      const text = together(chunks.filter(({ ordinal }) => !headingsShown.includes(ordinal)));
      expect(text === bodyOf(blocks)).toBe(true);
      expect(chunks.every(({ tokens, content }) => tokens <= maxTokens && content.trim() !== '')).toBe(true);
      expect(chunks.map(({ ordinal }) => ordinal)).toEqual(chunks.map((_, place) => place));
      const paths = new Set(chunks.flatMap(({ path }) => path));
      for (const block of blocks)
        if (block.kind === 'heading') expect(paths).toContain(block.text.replace(/\s+/g, ' ').trim());
      expect(await chunked(blocks, { maxTokens })).toEqual(chunks);
    },
  );

  it('keep the limit with a counter that is not additive', async () => {
    const countTokens = (texts: string[]): Promise<number[]> =>
      Promise.resolve(texts.map((text) => Math.ceil(text.length / 3) + text.split('\n').length * 3));
    const blocks = randomBlocks(5);
    for (const { tokens } of await chunked(blocks, { maxTokens: 64, overlapTokens: 20, countTokens }))
      expect(tokens).toBeLessThanOrEqual(64);
  });

  it('few calls of the counter, each with at most 256 texts', async () => {
    const calls: number[] = [];
    const blocks = Array.from({ length: 2_000 }, (_, n) => paragraph(sentence(n)));
    await chunked(blocks, {
      countTokens: (texts) => {
        calls.push(texts.length);
        return estimate(texts);
      },
    });
    expect(Math.max(...calls)).toBeLessThanOrEqual(256);
    expect(calls.length).toBeLessThan(20);
  });

  it.each([
    [{ maxTokens: 8 }, 'maxTokens is 8, at least 16 is needed'],
    [{ maxTokens: 100, overlapTokens: 50 }, 'overlapTokens is 50, it must be less than half of maxTokens (100)'],
  ])('sizes that cannot be kept are refused: %j', async (options, message) => {
    await expect(chunked([paragraph('Text.')], options)).rejects.toThrow(message);
  });

  it('a counter that loses a text is an error', async () => {
    await expect(chunked([paragraph('Text.')], { countTokens: () => Promise.resolve([]) })).rejects.toThrow(
      'the token counter gave 0 counts for 1 texts',
    );
  });
});

(existsSync(laws) ? describe : describe.skip)('real laws', () => {
  it('have every provision as a chunk', async () => {
    for (const file of readdirSync(laws)) {
      const text = readFileSync(join(laws, file), 'utf8');
      const blocks = text.split(/\n{2,}/).map((part): Block => {
        const [, marks, title] = /^(#+) (.*)$/.exec(part.trim()) ?? [];
        return marks && title ? heading(marks.length, title) : paragraph(part);
      });
      const law = lawOf({ frontMatter: { jurabk: /^jurabk: (.*)$/m.exec(text)?.[1] ?? '' }, headings: [] });
      const chunks = await chunked(blocks, { law, maxTokens: 400, overlapTokens: 50 });
      const provisions = new Set(chunks.map(({ provision }) => provision));
      const headings = text.match(/^#+ (?:§|Art\.?) \d+[a-z]?(?= |$)/gm) ?? [];
      expect(provisions.size).toBeGreaterThanOrEqual(new Set(headings.map((each) => each.replace(/^#+ /, ''))).size);
    }
  });
});
