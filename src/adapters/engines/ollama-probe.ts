import { Readable } from 'node:stream';
import type { EngineReply, EngineRequest } from '../../modules/serving/engine.port.js';
import type { Generated } from './ollama-api.js';

/** A text completion with probabilities, which Ollama has at its own API only. */
export interface AskedChances {
  model: string;
  prompt: string;
  tokens: number;
  likeliest: number;
}

const LONGEST = 100_000;

/** Undefined where the request is another one, and goes as it is. */
export function askedChances({ path, body }: EngineRequest): AskedChances | undefined {
  if (path !== '/v1/completions' || !Buffer.isBuffer(body) || body.length > LONGEST) return undefined;
  const { model, prompt, max_tokens: tokens, logprobs, stream, temperature } = fieldsOf(body);
  if (typeof model !== 'string' || typeof prompt !== 'string' || typeof logprobs !== 'number') return undefined;
  if (typeof tokens !== 'number' || stream === true || temperature !== 0 || logprobs < 1) return undefined;
  return { model, prompt, tokens, likeliest: logprobs };
}

function fieldsOf(body: Buffer): Record<string, unknown> {
  try {
    return (JSON.parse(body.toString()) as Record<string, unknown> | null) ?? {};
  } catch {
    return {};
  }
}

/** As OpenAI's completions tell probabilities. */
export function chancesReply(model: string, { response = '', logprobs: chances = [] }: Generated): EngineReply {
  const logprobs = {
    tokens: chances.map(({ token }) => token),
    token_logprobs: chances.map(({ logprob }) => logprob),
    top_logprobs: chances.map(({ top_logprobs: likeliest = [] }) =>
      Object.fromEntries(likeliest.map(({ token, logprob }) => [token, logprob])),
    ),
  };
  const choices = [{ index: 0, text: response, logprobs, finish_reason: 'length' }];
  const body = Buffer.from(JSON.stringify({ object: 'text_completion', model, choices }));
  return { status: 200, headers: { 'content-type': 'application/json' }, body: Readable.from([body]) };
}
