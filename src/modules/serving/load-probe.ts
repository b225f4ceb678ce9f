import type { Engine } from './engine.port.js';
import { EngineUnavailable } from './engine.port.js';

/** Natural logarithms of the probabilities of the likeliest first tokens, by token. */
export type FirstToken = Readonly<Record<string, number>>;

const PROMPT = 'Die Verwaltung entscheidet über den Antrag nach';
const LIKELIEST = 5;
const PROBE_MS = 60_000;
/** Below this, two answers of one model may differ by the order of its sums. */
const NOISE = 1e-6;

/** Whether two models answer differently: another token among the likeliest, or another probability of one. */
export function differ(one: FirstToken, other: FirstToken): boolean {
  const tokens = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...tokens].some((token) => {
    const [left, right] = [one[token], other[token]];
    return left === undefined || right === undefined || Math.abs(left - right) > NOISE;
  });
}

interface Completion {
  choices?: { logprobs?: { top_logprobs?: (Record<string, number> | null)[] | null } | null }[];
}

/** Generates one token of a fixed prompt. @param model its name at the engine @throws EngineUnavailable */
export async function firstToken(engine: Engine, model: string): Promise<FirstToken> {
  // One that would end here is asked all the same: an end that is taken as such comes without probabilities.
  const content = { model, prompt: PROMPT, max_tokens: 1, temperature: 0, logprobs: LIKELIEST, ignore_eos: true };
  const reply = await engine.send({
    method: 'POST',
    path: '/v1/completions',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(content)),
    signal: AbortSignal.timeout(PROBE_MS),
  });
  const text = await textOf(reply.body);
  if (reply.status !== 200)
    throw new EngineUnavailable(
      `one token of ${model} was asked for; the engine answers ${reply.status}: ${text.slice(0, 300)}`,
    );
  const token = (JSON.parse(text) as Completion).choices?.[0]?.logprobs?.top_logprobs?.[0];
  if (!token || !Object.values(token).every(Number.isFinite))
    throw new EngineUnavailable(`one token of ${model} was asked for; the engine gives no probabilities`);
  return token;
}

async function textOf(body: AsyncIterable<Buffer | string>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString();
}
