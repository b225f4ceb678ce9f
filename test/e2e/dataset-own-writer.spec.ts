import type { DatasetReplyDto, VersionListDto } from '../../src/modules/dataset/dataset-replies.dto.js';
import { baseSlug } from '../../src/kernel/base-slug.js';
import { App } from '../fixtures/app.js';
import { Issuer } from '../fixtures/issuer.js';
import { Library } from '../fixtures/library.js';
import { tinyModel } from '../fixtures/trainer.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(400_000);

const LONG_MS = 300_000;
/** As short as the context of the small model. */
const LAW = `# Bauprüfgesetz (BauPrG)

## § 1 Frist

Die Behörde entscheidet über den Antrag binnen vier Wochen.

## § 2 Gebühr

Die Gebühr für die Genehmigung beträgt hundert Euro.
`;
const PROVISIONS = 2;

describe('questions by the own embedded engine, where every request needs a token', () => {
  let app: App;
  let issuer: Issuer;
  let library: Library;
  let base: string;
  let documents: string[];

  beforeAll(async () => {
    issuer = await Issuer.start();
    const model = await tinyModel();
    base = baseSlug(model);
    app = await App.start({
      trainer: 'real',
      env: {
        ...issuer.env,
        CLARA_SECURITY_MODE: 'testing',
        CLARA_BASE_MODEL: model,
        CLARA_WRITER_URL: 'self',
        CLARA_WRITER_MODEL: base,
        CLARA_WRITER_MAX_TOKENS: '24',
        CLARA_WRITER_DEADLINE_SECONDS: '300',
        CLARA_WRITER_TIMEOUT_SECONDS: '250',
      },
    });
    app.token = await issuer.token({ roles: ['admin'], exp: Math.floor(Date.now() / 1000) + 3600 });
    library = new Library(app);
    const files = await library.upload({ 'BauPrG.md': LAW }, { authorization: `Bearer ${app.token}` });
    documents = (files as { document_id: string }[]).map(({ document_id: id }) => id);
  }, LONG_MS);
  afterAll(async () => {
    await app?.dispose();
    await issuer?.stop();
  });

  const built = async (): Promise<DatasetReplyDto['data']> => {
    const body = {
      name: 'Fragen',
      documents: { document_ids: documents },
      questions: { by: 'model', prompt: 'Frage!' },
    };
    const made = await library.call('POST', '', body);
    expect([made.status, made.body.message]).toEqual([200, expect.any(String)]);
    const path = `/${made.body.dataset_id}`;
    return eventually(
      'the version is built',
      async () => {
        const { data } = (await library.call('GET', path)).body;
        return ['completed', 'failed'].includes(data.status) && data;
      },
      LONG_MS,
    );
  };
  const answered = async (code: number): Promise<number> => {
    const { body } = await app.call<string>('GET', '/metrics', { port: app.ports.METRICS });
    const line = new RegExp(`clara_gateway_requests_total\\{model="${base}",adapter="",code="${code}"\\} (\\d+)`);
    return Number(line.exec(body)?.[1] ?? 0);
  };

  it('are asked for without a token of anybody, and what the small base cannot say is counted', async () => {
    const nobody = await app.call('POST', '/v1/chat/completions', {
      port: app.ports.SERVING,
      body: { model: base, messages: [{ role: 'user', content: 'Frage' }] },
      headers: { authorization: '' },
    });
    expect(nobody.status).toBe(401);
    const made = await built();
    expect(made.metadata['error']).toContain(`writer: no readable answer (${PROVISIONS})`);
    // It is asked about each provision, and once more where its answer cannot be read.
    expect(await answered(200)).toBe(2 * PROVISIONS);
    const { versions } = (await library.call<VersionListDto>('GET', `/${made.dataset_id}/versions`)).body;
    const questions = { by: 'model', model: base, prompt: expect.stringContaining('Frage!') };
    expect(versions[0]?.options).toMatchObject({ questions });
  });

  it('end with the reason where the model is not there', async () => {
    await app.kill('SIGTERM');
    await app.restart({ CLARA_WRITER_MODEL: 'ft:nobody' });
    const made = await built();
    expect(made.metadata['error']).toMatch(/own engine .*404: The model "ft:nobody" does not exist/);
  });
});
