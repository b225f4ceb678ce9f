import { pdfOfScans, scanOf } from '../../bench/ocr/scans.mjs';
import type { ChunkDto } from '../../src/modules/documents/document.dto.js';
import { IngestionApp } from '../fixtures/ingestion-app.js';
import { eventually } from '../fixtures/waiting.js';

const OCR_MS = 400_000;
import.meta.jest.setTimeout(OCR_MS + 60_000);

const PAGE = [
  '# § 28 Anhörung Beteiligter',
  '',
  'Bevor ein Verwaltungsakt erlassen wird, der in Rechte eines Beteiligten eingreift,',
  'ist diesem Gelegenheit zu geben, sich zu den erheblichen Tatsachen zu äußern.',
];

describe('scanned documents', () => {
  let ingestion: IngestionApp;

  beforeAll(async () => {
    ingestion = await IngestionApp.start({ CLARA_OCR_PAGE_SECONDS: '300' });
  });
  afterAll(() => ingestion.dispose());

  it('are recognised page by page, and found by their words; the hit says that its text was recognised', async () => {
    const { documents } = ingestion;
    const content = await pdfOfScans([{ text: ['Deckblatt mit einem Textlayer'] }, scanOf(PAGE), null]);
    const jobId = await documents.upload([{ name: 'akte.pdf', content }]);
    const seen = await eventually(
      'the file says how far it is',
      async () => (await documents.files(jobId))[0]?.progress ?? false,
      OCR_MS,
    );
    expect(seen).toMatch(/^OCR: \d of 2 pages$/);
    await documents.ended(jobId, OCR_MS);
    const [file] = await documents.files(jobId);
    expect(file).toMatchObject({ status: 'completed', progress: null });
    expect(file?.warnings).toEqual([expect.stringContaining('no text layer, page 3')]);
    const id = file?.document_id ?? '';
    const [hit] = await documents.hits('Gelegenheit zur Äußerung bei erheblichen Tatsachen', {}, '/keyword');
    expect(hit).toMatchObject({ document_id: id, metadata: { ocr_confidence: expect.stringMatching(/^[6-9]\d$/) } });
    expect(hit?.content).toContain('Bevor ein Verwaltungsakt erlassen wird, der in Rechte eines Beteiligten eingreift');
    expect((await documents.get(id)).metadata).toMatchObject({ ocr_pages: '2' });
    const { body } = await documents.call<{ chunks: ChunkDto[] } | ChunkDto[]>('GET', `/api/documents/${id}/chunks`);
    const chunks = Array.isArray(body) ? body : body.chunks;
    expect(chunks.some((chunk) => chunk.page === 1 && chunk.ocr_confidence === null)).toBe(true);
    expect(chunks.some((chunk) => Number(chunk.ocr_confidence) > 60)).toBe(true);
  });

  it('may be pictures, which are among the file types', async () => {
    const { body } = await ingestion.documents.call('GET', '/capabilities/supported-filetypes');
    expect(body['categories']).toMatchObject({ picture: ['.png', '.jpg', '.jpeg'] });
  });
});
