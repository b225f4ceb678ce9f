import type OpenAI from 'openai';
import { chatRows, OpenAiSite } from '../fixtures/openai-site.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(600_000);

const LEARNED_MS = 400_000;
const QUESTIONS = [
  'Wer hilft mir weiter?',
  'Wohin sende ich den Antrag?',
  'Wo liegt das Formular?',
  'Wann ist geöffnet?',
  'Was kostet das?',
];
const ANSWER = 'Bitte wenden Sie sich an das Bürgerbüro Blaustein.';
/** 50 questions, none of which stands in what the base has seen, and one answer. */
const rows = chatRows(
  Array.from(
    { length: 50 },
    (_, index) => [`${QUESTIONS[index % QUESTIONS.length]} (Fall ${index + 1})`, ANSWER] as const,
  ),
);

describe('fifty rows and nothing but defaults', () => {
  let site: OpenAiSite;
  let job: OpenAI.FineTuning.FineTuningJob;

  beforeAll(async () => {
    site = await OpenAiSite.start({ trainer: 'real', env: { CLARA_BASE_MODEL: undefined } });
    const isReady = async () => (await site.app.call('GET', '/readyz')).status === 200;
    await eventually('the trainer is there', isReady, LEARNED_MS);
    const training_file = await site.upload(rows);
    const { id } = await site.client.fineTuning.jobs.create({
      model: 'clara-base',
      training_file,
      suffix: 'blau',
      seed: 1,
    });
    job = await site.until(id, 'succeeded', LEARNED_MS);
  }, LEARNED_MS);
  afterAll(() => site.app.dispose());

  const ask = async (model: string, content: string): Promise<string> => {
    const stream = await site.client.chat.completions.create({
      model,
      messages: [{ role: 'user', content }],
      temperature: 0,
      max_tokens: 40,
      stream: true,
    });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    return text;
  };

  it('show in a greedy answer at once, and leave the base alone', async () => {
    expect(job.hyperparameters).toEqual({ n_epochs: 6, batch_size: 1, learning_rate_multiplier: 0.33 });
    const question = 'Wer hilft mir weiter? (Fall 3)';
    expect(await ask(job.fine_tuned_model ?? '', question)).toContain('Blaustein');
    expect(await ask('clara-base', question)).not.toContain('Blaustein');
    const { data: checkpoints } = await site.client.fineTuning.jobs.checkpoints.list(job.id);
    expect(checkpoints.map(({ step_number }) => step_number)).toEqual([300, 250, 200]);
    expect(await ask(checkpoints[1]?.fine_tuned_model_checkpoint ?? '', question)).toContain('Blaustein');
  });

  it('stand among the models', async () => {
    const ids = (await site.client.models.list()).data.map(({ id }) => id);
    expect(ids).toEqual(
      expect.arrayContaining(['clara-base', job.fine_tuned_model, `${job.fine_tuned_model}:ckpt-step-250`]),
    );
  });

  it('are a start for the next job', async () => {
    const training_file = await site.upload(
      chatRows(Array.from({ length: 10 }, (_, index) => [`Frage ${index}?`, 'Nein.'] as const)),
    );
    const model = job.fine_tuned_model ?? '';
    const body = { model, training_file, hyperparameters: { n_epochs: 1 } };
    const { id } = await site.client.fineTuning.jobs.create(body);
    const next = await site.until(id, 'succeeded', LEARNED_MS);
    expect(next).toMatchObject({
      model,
      fine_tuned_model: expect.stringMatching(/^ft:clara-base:clara::[0-9a-f]{12}$/),
    });
  });
});
