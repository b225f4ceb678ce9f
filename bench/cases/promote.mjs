import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findPython, installTrainer } from '../../scripts/python.mjs';
import { callJson, startApplication, until } from '../application.mjs';
import { median, percentile, spread } from '../figures.mjs';
import { asOutside, startPostgres } from '../postgres.mjs';
import { defaultFolder, makeAdapters } from '../serve/models.mjs';
import { streamAnswer } from '../serve/streamed.mjs';

export const title = 'from a promotion to the first token of the new version, under requests';
export const usage = '--rounds N (10)';

const ALIAS = 'champion';
const PER_SECOND = 20;
const TOKENS = 16;
const LEAD_IN_MS = 5000;
const BETWEEN_MS = 2000;
const MOST_MS = 1000;
const STARTS_WITHIN_MS = 600_000;

async function startClara(folder, closing) {
  const postgres = await startPostgres(folder);
  closing(postgres.stop);
  const clara = await startApplication({ folder, env: { ...asOutside(postgres.connection), CLARA_LOG_LEVEL: 'warn' } });
  closing(clara.stop);
  const hasBase = async () => (await callJson(`${clara.url}/v1/models`)).data.some(({ id }) => id !== 'auto');
  await until(hasBase, 'CLARA knows its base model', { deadlineMs: STARTS_WITHIN_MS, ms: 500 });
  return clara;
}

/** Uploads a PEFT folder. @returns {Promise<{id: string, model_id: string}>} the version */
async function register(url, folder) {
  const form = new FormData();
  for (const name of readdirSync(folder)) form.append('files', new Blob([readFileSync(join(folder, name))]), name);
  const response = await fetch(`${url}/api/adapters`, { method: 'POST', body: form });
  const body = /** @type {any} */ (await response.json());
  if (!response.ok) throw new Error(`the upload of ${folder} answered ${response.status}: ${JSON.stringify(body)}`);
  return body.data;
}

const promote = (url, { id }) =>
  callJson(`${url}/api/adapters/${id}/promote`, { method: 'POST', body: { alias: ALIAS } });

/** Streams at an even pace until it is stopped. */
function startLoad(url) {
  const answers = [];
  const began = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - began) * PER_SECOND) / 1000);
    for (; sent < due; sent += 1) answers.push(streamAnswer(url, { model: ALIAS, tokens: TOKENS }));
  }, 1);
  return async () => {
    clearInterval(timer);
    return Promise.all(answers);
  };
}

async function promotions({ url, versions, say }) {
  const found = [];
  for (const version of versions) {
    await sleep(BETWEEN_MS);
    const began = performance.now();
    await promote(url, version);
    const promoted = performance.now();
    const answer = await streamAnswer(url, { model: ALIAS, tokens: TOKENS });
    const isNew = answer.models.length === 1 && answer.models[0] === version.model_id;
    const end = answer.times[0] ?? Number.NaN;
    found.push({ began, end, ms: end - began, promotedMs: promoted - began, isNew });
    say(`promoted in ${(promoted - began).toFixed(0)} ms, first token after ${(end - began).toFixed(0)} ms`);
  }
  return found;
}

/** Pauses between two tokens of one answer, while a version is promoted and at other times. */
function gapsOf(answers, rounds) {
  const gaps = { during: [], otherwise: [] };
  for (const { times } of answers)
    for (const [index, at] of times.entries()) {
      if (index === 0) continue;
      const before = times[index - 1];
      const isDuring = rounds.some(({ began, end }) => before < end && at > began);
      gaps[isDuring ? 'during' : 'otherwise'].push(at - before);
    }
  return gaps;
}

function figuresOf(rounds, answers) {
  const gaps = gapsOf(answers, rounds);
  const count = (isWrong) => answers.filter(isWrong).length;
  const firsts = answers.filter(({ failed }) => !failed).map(({ began, times }) => times[0] - began);
  return [
    {
      name: 'promote to the first token of the new version',
      unit: 'ms',
      ...spread(rounds.map(({ ms }) => ms)),
      target: { most: MOST_MS },
    },
    {
      name: 'the slowest of them',
      unit: 'ms',
      value: Math.max(...rounds.map(({ ms }) => ms)),
      target: { most: MOST_MS },
    },
    { name: 'of it until the alias had moved', unit: 'ms', ...spread(rounds.map(({ promotedMs }) => promotedMs)) },
    {
      name: 'first answers after a promotion that another version gave',
      unit: '',
      value: rounds.filter(({ isNew }) => !isNew).length,
      target: { most: 0 },
    },
    { name: 'failed requests', unit: '', value: count(({ failed }) => failed), target: { most: 0 } },
    {
      name: 'answers of more than one version',
      unit: '',
      value: count(({ models }) => models.length > 1),
      target: { most: 0 },
    },
    { name: 'answers', unit: '', value: answers.length },
    { name: 'first token of all requests, p50', unit: 'ms', value: median(firsts) },
    { name: 'first token of all requests, p99', unit: 'ms', value: percentile(firsts, 99) },
    { name: 'pause between two tokens while promoting, p50', unit: 'ms', value: median(gaps.during) },
    { name: 'pause between two tokens while promoting, worst', unit: 'ms', value: Math.max(...gaps.during) },
    { name: 'pause between two tokens otherwise, p50', unit: 'ms', value: median(gaps.otherwise) },
    { name: 'pause between two tokens otherwise, worst', unit: 'ms', value: Math.max(...gaps.otherwise) },
  ];
}

/** @returns {Promise<import('../report.mjs').Result>} */
export async function run({ folder, options, say, closing }) {
  const count = Number(options.rounds ?? 10);
  const python = await installTrainer({ python: await findPython(), dev: false, say });
  const base = await defaultFolder(python);
  const folders = await makeAdapters({ python, base, out: join(folder, 'adapters'), count: count + 1 });
  const { url } = await startClara(folder, closing);
  const [first, ...versions] = await Promise.all(folders.map((each) => register(url, each)));
  await promote(url, first);
  const warm = await streamAnswer(url, { model: ALIAS, tokens: TOKENS });
  if (warm.failed) throw new Error(`the engine does not answer: ${warm.failed}`);
  say('the engine is warm');
  const stopLoad = startLoad(url);
  await sleep(LEAD_IN_MS);
  const rounds = await promotions({ url, versions, say });
  const answers = await stopLoad();
  const failure = answers.find(({ failed }) => failed);
  if (failure) say(`FAILED: ${failure.failed}`);
  return { figures: figuresOf(rounds, answers), setup: setupOf(count) };
}

const setupOf = (count) => [
  `The built application in debug mode, the embedded engine on the CPU with the default base (3.7 million parameters), adapters of rank 16 on all linear layers. ${PER_SECOND} streamed chat requests a second of ${TOKENS} tokens ask for the alias all the time; ${count} promotions, ${BETWEEN_MS / 1000} s apart, each of a version that no engine holds.`,
  'Measured from the order to promote, which loads, probes, moves the alias and answers, to the first token of a request for the alias that is sent after it. Load, application, engine and PostgreSQL share the cores.',
];
