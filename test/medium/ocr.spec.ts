import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pdfOfScans, scanOf } from '../../bench/ocr/scans.mjs';
import { WorkerParser, type ParserOptions } from '../../src/adapters/parsers/worker-parser.js';
import type { OcrProgress } from '../../src/modules/documents/document-parser.port.js';
import { shown } from '../fixtures/parsing.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const MEGABYTE = 1_048_576;
const OCR = {
  languages: ['deu', 'eng'],
  workers: 1,
  memoryMb: 768,
  maxPages: 200,
  pageMs: 120_000,
  dpi: 300,
  maxPixels: 40_000_000,
  leastConfidence: 60,
};
const OPTIONS: ParserOptions = {
  root,
  workers: 1,
  memoryMb: 256,
  timeoutMs: 60_000,
  maxFileBytes: 100 * MEGABYTE,
  maxTextCharacters: 10 * MEGABYTE,
  ocr: OCR,
};
const never = new AbortController().signal;

const BESCHEID = [
  '# Bescheid über die Baugenehmigung',
  '',
  'Für das Grundstück Äußere Königstraße 5 in Nürnberg wird hiermit die Geneh-',
  'migung erteilt. Sie gilt für die Dauer von drei Jahren ab dem Tag der Zustellung',
  'dieses Bescheides.',
  '',
  '# § 35 Begriff des Verwaltungsaktes',
  '',
  'Verwaltungsakt ist jede Verfügung, Entscheidung oder andere hoheitliche Maß-',
  'nahme, die eine Behörde zur Regelung eines Einzelfalls trifft (§ 35 Satz 1 VwVfG).',
];

import.meta.jest.setTimeout(300_000);

describe('recognition of pictures', () => {
  let folder: string;
  let parser: WorkerParser | undefined;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clara-ocr-'));
  });
  afterEach(() => parser?.close());
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function parse(
    content: Buffer,
    {
      filename = 'scan.pdf',
      ocr = {},
      heard,
      ...options
    }: {
      filename?: string;
      heard?: (progress: OcrProgress) => void;
      ocr?: Partial<typeof OCR> | null;
    } & Partial<Omit<ParserOptions, 'ocr'>> = {},
  ) {
    const path = join(folder, filename);
    await writeFile(path, content);
    parser = new WorkerParser({ ...OPTIONS, ...options, ocr: ocr && { ...OCR, ...ocr } });
    return parser.parse({ path, filename }, never, heard);
  }

  it('a scanned page gives headings and paragraphs, its words whole and its umlauts right', async () => {
    const progress: OcrProgress[] = [];
    const document = await parse(await pdfOfScans([scanOf(BESCHEID)]), { heard: (step) => progress.push(step) });
    expect(shown(document.blocks)).toEqual([
      'h1 Bescheid über die Baugenehmigung',
      'p Für das Grundstück Äußere Königstraße 5 in Nürnberg wird hiermit die Genehmigung erteilt. Sie gilt für die Dauer von drei Jahren ab dem Tag der Zustellung dieses Bescheides.',
      'h1 § 35 Begriff des Verwaltungsaktes',
      'p Verwaltungsakt ist jede Verfügung, Entscheidung oder andere hoheitliche Maßnahme, die eine Behörde zur Regelung eines Einzelfalls trifft (§ 35 Satz 1 VwVfG).',
    ]);
    expect(document).toMatchObject({ kind: 'pdf', pages: 1, warnings: [], metadata: { ocr_pages: '1' } });
    expect(Number(document.metadata['ocr_confidence'])).toBeGreaterThan(85);
    expect(document.blocks.every(({ ocr, page }) => page === 1 && Number(ocr) > 85)).toBe(true);
    expect(progress).toEqual([
      { done: 0, of: 1 },
      { done: 1, of: 1 },
    ]);
  });
});
