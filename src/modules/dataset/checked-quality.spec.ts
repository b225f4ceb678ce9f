import type { DataSource } from 'typeorm';
import type { Settings } from '../../config/settings.js';
import { systemCaller } from '../security/principal.port.js';
import { CheckedQuality } from './checked-quality.js';
import { RegisteredRows, type RegisteredNeighbours } from './registered-rows.store.js';
import { originalScore, type RowQuality } from './row-quality.js';
import type { RowOrigin, TrainingRow } from './training-row.js';
import type { Split } from './version-row.js';

const settings = { datasets: { languages: [], comparedRows: 0 } } as unknown as Settings;

class NothingRegistered extends RegisteredRows {
  constructor(private readonly neighbours: RegisteredNeighbours['neighbours'] = new Map()) {
    super({} as DataSource, settings);
  }

  override async nearestTo(): Promise<RegisteredNeighbours> {
    return { neighbours: this.neighbours, warnings: [] };
  }
}

const originOf = (change: Partial<RowOrigin> = {}): RowOrigin => ({
  source: 'upload',
  documentId: null,
  documentVersion: null,
  chunkId: null,
  relevance: null,
  madeBy: null,
  metadata: {},
  ...change,
});
const words = (from: number, count = 60): string =>
  Array.from({ length: count }, (_, at) => `Wort${from + at}`).join(' ');
const text = (content: string): TrainingRow => ({
  kind: 'text',
  text: `Die Behörde entscheidet den Antrag. ${content}`,
});

describe('the quality of the rows of a version', () => {
  let quality: RowQuality;
  let ordinal: number;

  beforeEach(() => {
    quality = new CheckedQuality(new NothingRegistered(), settings).begin();
    ordinal = 0;
  });

  async function take(row: TrainingRow, origin = originOf()) {
    const assessment = await quality.assess(row, { origin, datasetId: 'a', version: 1, ordinal });
    if (assessment.keep) {
      quality.kept(ordinal);
      ordinal += 1;
    }
    return assessment;
  }
  const rejected = async (row: TrainingRow, origin?: RowOrigin) =>
    (await take(row, origin)).findings.filter(({ verdict }) => verdict === 'reject').map(({ check }) => check);
  const settle = (splits: Split[]) =>
    quality.settle({
      datasetId: 'a',
      caller: systemCaller('erika'),
      splitOf: (at) => splits[at] ?? 'train',
      signal: new AbortController().signal,
    });

  it('has the score of the original and that of the checks beside it', async () => {
    const row = text(words(0));
    const assessment = await take(row);
    expect(assessment.score).toBe(originalScore(row, originOf()));
    expect(assessment.checkScore).toBeGreaterThan(0.95);
    expect(assessment.keep).toBe(true);
  });

  it('falls by a row that is there already, whatever its case, and by one that is nearly the same', async () => {
    expect(await rejected(text(words(0)))).toEqual([]);
    expect(await rejected(text(words(0).toUpperCase()))).toEqual(['exact_duplicate', 'near_duplicate']);
    expect(await rejected(text(`${words(0)} und`))).toEqual(['near_duplicate']);
    const similar = await take(text(`${words(0)} und noch einiges mehr dazu`));
    expect(similar).toMatchObject({ keep: true, near: 0 });
  });

  it('compares with rows that were kept, not with those left out', async () => {
    const bad = text(`${words(0)} DE89370400440532013000`);
    expect(await rejected(bad)).toEqual(['personal_data']);
    expect(await rejected(text(words(0)))).toEqual([]);
  });

  it('knows questions of several templates about one passage apart', async () => {
    const by = (template: string) => originOf({ madeBy: { template } });
    const row = (question: string): TrainingRow => ({
      kind: 'messages',
      messages: [
        { role: 'user', content: question },
        { role: 'assistant', content: words(0, 300) },
      ],
    });
    expect(await rejected(row('Was regelt die Behörde?'), by('a'))).toEqual([]);
    expect(await rejected(row('Wie lautet die Regel der Behörde?'), by('b'))).toEqual([]);
    expect(await rejected(row('Was regelt die Behörde denn?'), by('a'))).toEqual(['near_duplicate']);
  });

  it('leaves a row of validation or test out that another split gives away', async () => {
    for (const more of ['', ' und noch einiges mehr dazu', ' oder dann doch etwas anderes'])
      await take(text(words(0) + more));
    await take(text(words(500)));
    const { findings } = await settle(['train', 'validation', 'test', 'test']);
    expect([...findings.keys()].toSorted((a, b) => a - b)).toEqual([1, 2]);
    for (const found of findings.values()) expect(found[0]).toMatchObject({ check: 'leakage', verdict: 'reject' });
  });

  it('only warns where a chunk of the same document is on the other side', async () => {
    for (const at of [0, 500]) await take(text(words(at)), originOf({ documentId: 'law' }));
    const { findings } = await settle(['train', 'test']);
    expect(findings.get(1)).toMatchObject([{ check: 'leakage', verdict: 'warn' }]);
  });

  it('warns of rows that another dataset has, and keeps them', async () => {
    const neighbours = new Map([[0, { id: 'row 3 of dataset:x@1', jaccard: 1 }]]);
    quality = new CheckedQuality(new NothingRegistered(neighbours), settings).begin();
    await take(text(words(0)));
    const { findings } = await settle(['train']);
    expect(findings.get(0)).toMatchObject([
      {
        check: 'registered_duplicate',
        verdict: 'warn',
        reason: 'The same text is in another dataset: row 3 of dataset:x@1',
      },
    ]);
  });
});
