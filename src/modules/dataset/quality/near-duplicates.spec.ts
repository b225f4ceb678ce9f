import { appendFile, mkdtemp, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IdTable } from './id-table.js';
import { MinHasher } from './min-hash.js';
import { IndexFileError, loadNearDuplicates, saveNearDuplicates } from './near-duplicates-file.js';
import { NearDuplicates } from './near-duplicates.js';
import { Shingler } from './shingles.js';
import { similarity } from './similarity.js';

const { floor, imul } = Math;

/** The same numbers on every run. */
function drawing(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (imul(state, 1664525) + 1013904223) >>> 0;
    return floor((state / 2 ** 32) * below);
  };
}

const text = (draw: (below: number) => number, words: number): string[] =>
  Array.from({ length: words }, () => `wort${draw(20_000)}`);

/** One run of words is another: the similarity falls in fine steps. */
const withRun = (words: string[], draw: (below: number) => number, length: number): string[] =>
  words.with(0, 'anders').map((word, at) => (at > 99 && at <= 99 + length ? `neu${draw(1_000_000)}` : word));

function changed(words: string[], draw: (below: number) => number, changes: number): string[] {
  const copy = [...words];
  for (let change = 0; change < changes; change += 1) copy[draw(copy.length)] = `neu${draw(1_000_000)}`;
  return copy;
}

const shinglesOf = (words: string[]): Set<string> =>
  new Set(Array.from({ length: words.length - 4 }, (_, at) => words.slice(at, at + 5).join(' ')));

function jaccard(one: string[], other: string[]): number {
  const [a, b] = [shinglesOf(one), shinglesOf(other)];
  const both = Array.from(a).filter((shingle) => b.has(shingle)).length;
  return both / (a.size + b.size - both);
}

describe('shingles', () => {
  const shingler = new Shingler();

  it('are those of five words, without regard to case, punctuation and white space', () => {
    const plain = shingler.shinglesOf('die behörde kann den verwaltungsakt zurücknehmen');
    expect(plain).toHaveLength(2);
    expect(shingler.shinglesOf('Die Behörde kann\n (den) Verwaltungsakt: zurücknehmen!')).toEqual(plain);
    expect(shingler.shinglesOf('Die Behörde kann den Verwaltungsakt zurücknehmen'.normalize('NFD'))).toEqual(plain);
  });

  it('know the order of words and where they end', () => {
    const of = (words: string): number[] => Array.from(shingler.shinglesOf(words));
    expect(of('a b c d e')).not.toEqual(of('b a c d e'));
    expect(of('ab c d e f')).not.toEqual(of('a bc d e f'));
  });

  it('are one of all words where there are fewer than five, and none without words', () => {
    expect(shingler.shinglesOf('siehe oben')).toHaveLength(1);
    expect(shingler.shinglesOf('siehe')).toHaveLength(1);
    expect(shingler.shinglesOf(' -- ?! ')).toHaveLength(0);
  });

  it('are counted once each, in texts of any length', () => {
    expect(shingler.shinglesOf('ja '.repeat(50_000))).toHaveLength(1);
    const words = Array.from({ length: 10_000 }, (_, at) => `w${at}`);
    expect(shingler.shinglesOf(words.join(' '))).toHaveLength(9996);
  });
});

describe('the similarity of signatures', () => {
  const hasher = new MinHasher();
  const draw = drawing(7);

  it('is exact for short texts', () => {
    const words = text(draw, 260);
    for (const changes of [0, 1, 5, 20, 80]) {
      const other = changed(words, draw, changes);
      expect(similarity(hasher.sign(words.join(' ')), hasher.sign(other.join(' ')))).toBeCloseTo(
        jaccard(words, other),
        10,
      );
    }
  });

  it.each([
    [700, 0.012],
    [3000, 0.02],
  ])('is close for texts of %i words: at most %f off on the average', (length, most) => {
    const errors = Array.from({ length: 48 }, (_, pair) => {
      const words = text(draw, length);
      const other = changed(words, draw, Math.floor((length * (pair % 12)) / 200));
      return (similarity(hasher.sign(words.join(' ')), hasher.sign(other.join(' '))) - jaccard(words, other)) ** 2;
    });
    expect(Math.sqrt(errors.reduce((sum, error) => sum + error, 0) / errors.length)).toBeLessThan(most);
  });

  it('is 0 for a text without words', () => {
    expect(similarity(hasher.sign(''), hasher.sign(''))).toBe(0);
    expect(similarity(hasher.sign(''), hasher.sign('a b c d e'))).toBe(0);
  });
});

describe('the index of near duplicates', () => {
  const draw = drawing(3);

  it('answers the most similar of those before', () => {
    const index = new NearDuplicates();
    const words = text(draw, 300);
    expect(index.add('first', words.join(' '))).toBeNull();
    expect(index.add('other', text(draw, 300).join(' '))).toBeNull();
    expect(index.add('far', changed(words, draw, 4).join(' '))?.id).toBe('first');
    const near = changed(words, draw, 1);
    expect(index.add('near', near.join(' '))).toEqual({
      id: 'first',
      jaccard: expect.closeTo(jaccard(words, near), 1),
    });
    expect(index.nearest(near.join('  '))).toEqual({ id: 'near', jaccard: 1 });
    expect(index.size).toBe(4);
  });

  it('finds nearly all at 0.8 and hardly any below, whatever the distance', () => {
    const index = new NearDuplicates(0.8);
    const counts = { right: 0, missed: 0, wrong: 0 };
    for (let pair = 0; pair < 400; pair += 1) {
      const words = text(draw, 900);
      const other = withRun(words, draw, draw(220));
      index.add(`a${pair}`, words.join(' '));
      const found = index.nearest(other.join(' ')) !== null;
      const real = jaccard(words, other) >= 0.8;
      if (found && real) counts.right += 1;
      else if (real) counts.missed += 1;
      else if (found) counts.wrong += 1;
    }
    expect(counts.right / (counts.right + counts.missed)).toBeGreaterThan(0.95);
    expect(counts.right / (counts.right + counts.wrong)).toBeGreaterThan(0.95);
  });

  it('forgets what is removed and replaces a name that comes again', () => {
    const index = new NearDuplicates();
    const [one, two] = [text(draw, 100).join(' '), text(draw, 100).join(' ')];
    index.add('a', one);
    expect(index.remove('a')).toBe(true);
    expect(index.remove('a')).toBe(false);
    expect(index.nearest(one)).toBeNull();
    expect(index.add('a', one)).toBeNull();
    expect(index.add('a', one)).toBeNull();
    expect(index.add('a', two)).toBeNull();
    expect([index.nearest(one), index.nearest(two)?.id, index.size]).toEqual([null, 'a', 1]);
  });

  it('takes back the space of what is removed, and may change meanwhile', async () => {
    const index = new NearDuplicates();
    const texts = Array.from({ length: 2600 }, () => text(draw, 30).join(' '));
    for (const [at, words] of texts.slice(0, 2500).entries()) index.add(`${at}`, words);
    for (let at = 0; at < 1500; at += 1) index.remove(`${at}`);
    const { bytes } = index;
    expect([index.size, index.wasted]).toEqual([1000, 1500]);
    const compacting = Promise.all([index.compact(), index.compact()]);
    for (const [at, words] of texts.slice(2500).entries()) index.add(`${at + 2500}`, words);
    await new Promise(setImmediate);
    for (let at = 1500; at < 1600; at += 1) index.remove(`${at}`);
    expect(index.nearest(texts[1700] ?? '')?.id).toBe('1700');
    await compacting;
    expect(index.size).toBe(1000);
    expect(index.wasted).toBeLessThanOrEqual(100);
    expect(index.bytes).toBeLessThan(bytes);
    expect(texts.map((words) => index.nearest(words)?.id)).toEqual(
      texts.map((_, at) => (at < 1600 ? undefined : `${at}`)),
    );
    expect(index.add('1700', texts[1700] ?? '')).toBeNull();
  });

  it('keeps every document in reach while its tables grow', () => {
    const index = new NearDuplicates();
    const texts = Array.from(
      { length: 2500 },
      (_, at) => `zeile ${at} mit den wörtern ${at * 7} und ${at * 13} am ende`,
    );
    for (const [at, words] of texts.entries()) index.add(`${at}`, words);
    const missing = texts.filter((words, at) => index.nearest(words)?.id !== `${at}`);
    expect(missing).toEqual([]);
  });

  it('grows no slower where every text is the same', () => {
    const index = new NearDuplicates();
    const same = 'immer das gleiche steht in dieser zeile geschrieben';
    /** Microseconds of 50 more, by the quickest of ten parts: a collection of garbage falls into some, never into all. */
    const quickest = (): number => {
      const parts = Array.from({ length: 10 }, () => {
        const { user } = process.cpuUsage();
        for (let at = 0; at < 50; at += 1) index.add(`${index.size}`, same);
        return process.cpuUsage().user - user;
      });
      return Math.min(...parts);
    };
    const [, early = 0, ...later] = Array.from({ length: 9 }, quickest);
    expect(later.at(-1)).toBeLessThan(4 * early);
    expect(index.nearest(same)?.jaccard).toBe(1);
  });

  it('finds no text without words', () => {
    const index = new NearDuplicates();
    expect([index.add('a', ''), index.add('b', '...'), index.nearest('')]).toEqual([null, null, null]);
    expect(index.size).toBe(2);
  });

  it.each([0, -1, 1.1, Number.NaN])('refuses %d as its threshold', (threshold) => {
    expect(() => new NearDuplicates(threshold)).toThrow(`got ${threshold}`);
  });

  it('refuses a name that is empty or too long', () => {
    const index = new NearDuplicates();
    expect(() => index.add('', 'text')).toThrow('this one has 0');
    expect(() => index.add('x'.repeat(401), 'text')).toThrow('this one has 401');
    expect(index.size).toBe(0);
  });
});

describe('the table of names', () => {
  it('finds each of many, also in other scripts and behind forgotten ones', () => {
    const table = new IdTable();
    const names = Array.from({ length: 5000 }, (_, at) => `zeile-${at}-ä😀`);
    for (const name of names) table.add(name);
    for (const name of names.slice(0, 2500)) table.forget(name);
    expect(names.map((name) => table.find(name))).toEqual(names.map((_, at) => (at < 2500 ? undefined : at)));
    expect(names.every((name, at) => table.idOf(at) === name)).toBe(true);
  });
});

describe('the file of an index', () => {
  const draw = drawing(11);
  let folder = '';
  let path = '';

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'near-duplicates-'));
    path = join(folder, 'index');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('brings back every answer', async () => {
    const texts = Array.from({ length: 260 }, () => text(draw, 20 + draw(700)).join(' '));
    const index = new NearDuplicates();
    for (const [at, words] of texts.entries()) index.add(`zeile ${at}`, words);
    index.add('leer', '');
    for (let at = 0; at < 60; at += 1) index.remove(`zeile ${at}`);
    await saveNearDuplicates(index, path);
    const again = await loadNearDuplicates(path);
    expect(again.size).toBe(201);
    expect(texts.map((words) => again.nearest(words))).toEqual(texts.map((words) => index.nearest(words)));
    expect(again.remove('leer')).toBe(true);
    expect(again.add('neu', texts[250] ?? '')?.id).toBe('zeile 250');
    await saveNearDuplicates(again, path);
    expect((await loadNearDuplicates(path)).size).toBe(201);
  });

  it('may be that of an empty index', async () => {
    await saveNearDuplicates(new NearDuplicates(), path);
    expect((await loadNearDuplicates(path)).size).toBe(0);
  });

  it('stays as it was when writing fails', async () => {
    const index = new NearDuplicates();
    index.add('a', 'eins zwei drei vier fünf');
    await saveNearDuplicates(index, path);
    await expect(saveNearDuplicates(index, join(folder, 'no', 'such', 'folder'))).rejects.toThrow('ENOENT');
    expect((await loadNearDuplicates(path)).size).toBe(1);
    await expect(stat(`${path}.partial`)).rejects.toThrow('ENOENT');
  });

  it.each([
    ['cut', 'ends too early', (size: number) => truncate(path, size - 5)],
    ['longer', 'holds more', () => appendFile(path, 'more')],
    ['of another kind', 'is no index', () => writeFile(path, 'x'.repeat(100))],
    ['of another form', 'another form', () => overwrite(4)],
    ['changed in a signature', 'check sum', (size: number) => overwrite(size - 9)],
    ['changed in its count', 'ends too early', () => overwrite(20)],
  ])('is refused where it is %s', async (_, words, damage) => {
    const index = new NearDuplicates();
    for (let at = 0; at < 50; at += 1) index.add(`${at}`, text(draw, 50).join(' '));
    await saveNearDuplicates(index, path);
    await damage((await readFile(path)).length);
    const loading = loadNearDuplicates(path);
    await expect(loading).rejects.toThrow(IndexFileError);
    await expect(loading).rejects.toThrow(words);
  });

  async function overwrite(position: number): Promise<void> {
    const file = await open(path, 'r+');
    await file.write(Buffer.of(0x77), 0, 1, position);
    await file.close();
  }
});
