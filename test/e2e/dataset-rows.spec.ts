import { parquetWriteBuffer } from 'hyparquet-writer';
import type { DatasetReplyDto } from '../../src/modules/dataset/dataset-replies.dto.js';
import { App } from '../fixtures/app.js';
import { Library } from '../fixtures/library.js';

import.meta.jest.setTimeout(120_000);

type Dataset = DatasetReplyDto['data'];
const IBAN = 'DE89370400440532013000';

describe('datasets of uploaded rows', () => {
  let app: App;
  let library: Library;

  beforeAll(async () => {
    app = await App.start();
    library = new Library(app);
  }, 120_000);
  afterAll(() => app.dispose());

  const get = async <T>(path: string) => (await library.call<T>('GET', path)).body;
  const rowsOf = async ({ dataset_id: id }: Dataset) =>
    (await get<{ rows: { split: string; row: { text?: string } }[] }>(`/${id}/versions/1/rows?limit=1000`)).rows;
  const rowsSet = (rows: unknown[], more = {}) => library.make({ rows, ...more });
  const statisticsOf = ({ metadata }: Dataset) => metadata['statistics'] as { left_out: Record<string, number> };
  const sentence = (at: number) =>
    `Die Behörde ${at} prüft den Antrag ${at * 7} von Grund auf und entscheidet über Fall ${at}.`;

  it.each(['jsonl', 'csv', 'parquet'])('come from an uploaded %s file', async (kind) => {
    const texts = Array.from({ length: 12 }, (_, at) => sentence(at));
    const files: Record<string, string | ArrayBuffer> = {
      jsonl: texts.map((text) => JSON.stringify({ text })).join('\n'),
      csv: ['text', ...texts.map((text) => `"${text}"`)].join('\n'),
      parquet: parquetWriteBuffer({ columnData: [{ name: 'text', data: texts, type: 'STRING' }] }),
    };
    const form = new FormData();
    form.append('name', `Aus ${kind}`);
    form.append('file', new Blob([files[kind] ?? '']), `zeilen.${kind}`);
    const url = `http://127.0.0.1:${app.ports.DATASET}/api/datasets`;
    const response = await fetch(url, { method: 'POST', body: form });
    const made = (await response.json()) as DatasetReplyDto;
    expect([response.status, made.status]).toEqual([200, 'pending']);
    const set = await library.ended(made.dataset_id, {});
    expect(set).toMatchObject({ status: 'completed', document_count: 12 });
    expect((await rowsOf(set)).map(({ row }) => row.text)).toEqual(texts);
  });

  it('leave out duplicates, other languages and personal data, and show no value of it', async () => {
    const long = Array.from({ length: 60 }, (_, at) => `Wort${at}`).join(' ');
    const german = `Die Behörde entscheidet über den Antrag der Bürgerin. ${long}`;
    const set = await rowsSet([
      { text: german },
      { text: german.toUpperCase() },
      { text: `${german} und mehr` },
      { text: `Die Überweisung geht auf das Konto ${IBAN} der Antragstellerin in Musterstadt.` },
      {
        text: 'La commune décide de la demande de permis de construire dans les trois mois qui suivent le dépôt du dossier complet par le propriétaire.',
      },
      {
        text: 'Fragen zum Antrag beantwortet die Sachbearbeiterin gern unter erika.mustermann@web.de oder im Bürgerbüro der Stadt.',
      },
    ]);
    expect(statisticsOf(set).left_out).toEqual({
      exact_duplicate: 1,
      near_duplicate: 1,
      personal_data: 1,
      language: 1,
    });
    const analysis = await get<Record<string, unknown>>(`/${set.dataset_id}/analyze`);
    const told = JSON.stringify(analysis);
    expect(analysis['warned_rows']).toMatchObject({
      rows: 1,
      first: [{ ordinal: 1, reasons: expect.arrayContaining(['personal_data: Personal data: email (1)']) }],
    });
    expect(told).toContain('[email]');
    for (const secret of [IBAN, 'mustermann@']) expect(told + app.output).not.toContain(secret);
  });

  it('keep near duplicates on one side of the split', async () => {
    const words = (at: number) => Array.from({ length: 40 }, (_, n) => `Wort${at * 100 + n}`).join(' ');
    const rows = Array.from({ length: 40 }, (_, at) => ({
      text: `Die Behörde entscheidet den Fall ${words(Math.floor(at / 2))} ${at % 2 ? 'und das gilt auch hier' : ''}`,
    }));
    const placed = await rowsOf(await rowsSet(rows, { split: { validation: 0.3, test: 0.2 } }));
    for (let at = 0; at < placed.length; at += 2) expect(placed[at]?.split).toBe(placed[at + 1]?.split);
    expect(new Set(placed.map(({ split }) => split)).size).toBe(3);
  });
});
