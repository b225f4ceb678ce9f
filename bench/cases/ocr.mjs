import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { builtModule } from '../../scripts/built-module.mjs';
import { root } from '../../scripts/root.mjs';
import { spread } from '../figures.mjs';
import { germanPages, wordsOf, wrongWords } from '../ocr/pages.mjs';
import { pdfOfScans, scanOf } from '../ocr/scans.mjs';
import { cpuSeconds, familyOf, residentMb } from '../processes.mjs';

export const title = 'scanned German pages: words read rightly, time a page, memory';
export const usage = '--pages N (10)';

const MEGABYTE = 1_048_576;
const LEAST_RIGHT = 95;
const OCR = {
  languages: ['deu', 'eng'],
  workers: 1,
  memoryMb: 768,
  maxPages: 1000,
  pageMs: 600_000,
  dpi: 300,
  maxPixels: 40_000_000,
  leastConfidence: 60,
};

/** A clean scan, and one as it comes out of an old device. */
const KINDS = [
  { name: '150 dpi', options: { dpi: 150 } },
  { name: '200 dpi', options: { dpi: 200 } },
  {
    name: '200 dpi, jpeg, 0.6 degrees askew, with specks',
    options: { dpi: 200, format: 'jpeg', askew: 0.6, specks: 0.0004 },
  },
];

const FONTS = ['serif', 'sans'];

async function parserFor() {
  const { WorkerParser } = await builtModule('src/adapters/parsers/worker-parser.js');
  return new WorkerParser({
    root,
    workers: 1,
    memoryMb: 512,
    timeoutMs: 120_000,
    maxFileBytes: 100 * MEGABYTE,
    maxTextCharacters: 100 * MEGABYTE,
    ocr: OCR,
  });
}

/** The largest that the processes of the parser were, in MB, read ten times a second. */
function watchMemory() {
  let most = 0;
  const timer = setInterval(() => {
    for (const pid of familyOf(process.pid)) if (pid !== process.pid) most = Math.max(most, residentMb(pid) || 0);
  }, 100);
  return () => {
    clearInterval(timer);
    return most;
  };
}

/** Words of a document, by page, and the seconds of each page. */
async function read(parser, path) {
  const ends = [];
  const started = performance.now();
  const heard = () => ends.push(performance.now());
  const document = await parser.parse({ path, filename: 'scan.pdf' }, new AbortController().signal, heard);
  const seconds = ends.slice(1).map((end, at) => (end - ends[at]) / 1000);
  const words = wordsOf(document.blocks.map(({ text }) => text).join(' '));
  return { words, seconds, before: (ends[0] - started) / 1000, warnings: document.warnings };
}

async function measured(parser, pages, { name, options }, folder) {
  const scans = pages.map((lines, at) => scanOf(lines, { ...options, font: FONTS[at % 2], seed: at + 1 }));
  const path = join(folder, 'scan.pdf');
  await writeFile(path, await pdfOfScans(scans));
  const cpu = () => cpuSeconds(familyOf(process.pid).filter((pid) => pid !== process.pid));
  const used = cpu();
  const { words, seconds, before, warnings } = await read(parser, path);
  const cpuOfPage = (cpu() - used) / pages.length;
  const right = wordsOf(pages.flat().join(' '));
  const share = 100 * (1 - wrongWords(right, words) / right.length);
  return { name, share, seconds, before, words: right.length, warnings, cpuOfPage };
}

export async function run({ folder, options, say, closing }) {
  const pages = germanPages(Number(options.pages ?? 10));
  const parser = await parserFor();
  closing(() => parser.close());
  const memory = watchMemory();
  closing(memory);
  const results = [];
  for (const kind of KINDS) {
    const result = await measured(parser, pages, kind, folder);
    say(
      `${result.name}: ${result.cpuOfPage.toFixed(1)} s of CPU a page, ${result.share.toFixed(2)} % of ${result.words} words, ${result.warnings.join('; ')}`,
    );
    results.push(result);
  }
  return {
    figures: [
      ...results.map(({ name, share }, at) => ({
        name: `words read rightly, ${name}`,
        value: share,
        unit: '%',
        ...(at < 2 ? { target: { least: LEAST_RIGHT } } : {}),
      })),
      ...results.map(({ name, seconds }) => ({ name: `a page, ${name}`, unit: 's', ...spread(seconds) })),
      ...results.map(({ name, cpuOfPage }) => ({ name: `CPU time of a page, ${name}`, unit: 's', value: cpuOfPage })),
      { name: 'from the file to its first page, processes cold', value: results[0].before, unit: 's' },
      { name: 'largest process while it recognises', value: memory(), unit: 'MB', target: { most: OCR.memoryMb } },
    ],
    setup: [
      `${pages.length} pages A4 of German administration (${results[0].words} words), DejaVu Serif and Sans in 11 pt by turns, drawn and put into a PDF as pictures; languages ${OCR.languages.join(' and ')}.`,
      'A word is right where it is the same with its punctuation; missed, added and wrong ones count against it.',
    ],
  };
}
