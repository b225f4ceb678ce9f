import type { DataSource } from 'typeorm';
import { OwnQuestionWriter } from '../../src/adapters/writers/own-question-writer.js';
import { SystemClock } from '../../src/kernel/clock.js';
import { EngineUnavailable } from '../../src/modules/serving/engine.port.js';
import { OwnAnswers } from '../../src/modules/serving/own-answers.port.js';
import { ChatServerFixture } from '../fixtures/chat-server.js';
import { DatasetSite, law, someone } from '../fixtures/datasets.js';
import { FakePool, GatewayApp } from '../fixtures/gateway-app.js';
import { versionOf } from '../fixtures/registry.js';
import { TestDatabases } from '../fixtures/test-database.js';

import.meta.jest.setTimeout(120_000);

const champion = versionOf(1);
const request = { documents: { document_ids: ['A', 'B'] }, questions: { by: 'model' as const } };

describe('questions that the own engines write', () => {
  let databases: TestDatabases;
  let source: DataSource;
  let engine: ChatServerFixture;
  let gateway: GatewayApp;
  let site: DatasetSite;

  beforeAll(async () => {
    databases = await TestDatabases.open();
    source = await databases.source();
    engine = await ChatServerFixture.open();
    gateway = await GatewayApp.open(new FakePool([new URL(engine.url).origin]));
    gateway.catalog.become([champion], [{ alias: 'champion', versionId: champion.id, splits: [] }]);
  });
  beforeEach(() => {
    engine.calls.length = 0;
    gateway.pool.before = () => Promise.resolve();
  });
  afterEach(() => site.close());
  afterAll(async () => {
    await gateway?.close();
    await engine?.close();
    await databases.close();
  });

  const open = async (model: string): Promise<void> => {
    const options = { model, maxTokens: 500, timeoutMs: 5000, deadlineMs: 4000 };
    const own = () => gateway.get(OwnAnswers);
    site = await DatasetSite.open(source, { writer: new OwnQuestionWriter(options, own, new SystemClock()) });
    site.documents.add(law('A', 4), law('B', 4));
    await site.clear();
  };

  it('come from the version that the alias means, which stands in the lineage', async () => {
    await open('champion');
    const made = await site.built(request);
    expect(made).toMatchObject({ status: 'completed', document_count: 8 });
    expect(engine.calls).toHaveLength(8);
    expect(engine.calls[0]?.body).toMatchObject({ model: champion.modelId, temperature: 0, max_tokens: 500 });
    const { rows, sources } = await site.reports.lineage(made.dataset_id, {}, someone('erika'));
    expect(sources).toEqual({ synthetic: 8 });
    expect(rows[0]?.made_by).toMatchObject({
      model: 'champion',
      served_model: champion.modelId,
      prompt_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(await gateway.registry.metrics()).toMatch(
      new RegExp(`clara_gateway_requests_total\\{model="gemma",adapter="${champion.name}",code="200"\\} 8`),
    );
  });

  it('end with the reason where the engine does not start', async () => {
    await open('gemma');
    gateway.pool.before = () => Promise.reject(new EngineUnavailable('the start failed: no memory'));
    const made = await site.built(request);
    expect(made.status).toBe('failed');
    expect(made.metadata['error']).toMatch(/own engine .* answers 503: .*the start failed: no memory.*are kept/);
    expect(engine.calls).toEqual([]);
  });

  it('end with the reason where there is no such model', async () => {
    await open('nobody');
    const made = await site.built(request);
    expect(made.metadata['error']).toMatch(/404: The model "nobody" does not exist.*is CLARA_WRITER_MODEL right\?/);
  });
});
