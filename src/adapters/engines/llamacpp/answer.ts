import type { AskedAnswer } from './asked-answer.js';
import type { LlamaModel, LlamaSequence, SamplingOptions, Token } from './llama-library.js';
import { StopScan } from './stop-scan.js';
import { TokenText } from './token-text.js';

/** Natural logarithms of probabilities: of the token, and of the likeliest ones in its place. */
export interface TokenChance {
  token: string;
  logprob: number;
  likeliest: { token: string; logprob: number }[];
}

/** A part of an answer: text that is certain, which may be empty. */
export interface Piece {
  text: string;
  chance?: TokenChance;
}

export interface AnswerEnd {
  reason: 'stop' | 'length';
  promptTokens: number;
  completionTokens: number;
}

type Text = Pick<LlamaModel, 'detokenize'>;
type Limits = Pick<
  AskedAnswer,
  'stops' | 'likeliest' | 'temperature' | 'topP' | 'topK' | 'minP' | 'seed' | 'ignoresEnd'
>;

/**
 * One answer, token by token.
 * @param asked `most`: tokens of the answer
 * @param heard is waited for; where it throws, the answer ends
 */
export async function answer(
  sequence: LlamaSequence,
  model: Text,
  asked: Limits & { prompt: Token[]; most: number },
  heard: (piece: Piece) => Promise<void>,
): Promise<AnswerEnd> {
  const { prompt } = asked;
  const text = new TokenText(model, prompt);
  const stops = new StopScan(asked.stops);
  let count = 0;
  let reason: AnswerEnd['reason'] = 'stop';
  for await (const { token, probabilities } of tokensOf(sequence, prompt, asked)) {
    count += 1;
    const chance = probabilities && chanceOf(model, token, probabilities, asked.likeliest ?? 0);
    await heard({ text: stops.push(text.push(token)), ...(chance && { chance }) });
    if (stops.isStopped) break;
    if (count < asked.most) continue;
    reason = 'length';
    break;
  }
  if (!stops.isStopped) await heard({ text: stops.push(text.rest()) + stops.rest() });
  return { reason, promptTokens: prompt.length, completionTokens: count };
}

interface Sampled {
  token: Token;
  probabilities?: Map<Token, number>;
}

async function* tokensOf(sequence: LlamaSequence, prompt: Token[], asked: Limits): AsyncGenerator<Sampled> {
  const { temperature, topP, topK, minP, seed, ignoresEnd: yieldEogToken } = asked;
  const sampling = { temperature, topP, topK, minP, yieldEogToken };
  const options: SamplingOptions = { ...sampling, ...(seed !== undefined && { seed: seed >>> 0 }) };
  if (asked.likeliest === undefined) for await (const token of sequence.evaluate(prompt, options)) yield { token };
  else yield* sequence.evaluateWithMetadata(prompt, { probabilities: true }, options);
}

function chanceOf(model: Text, token: Token, probabilities: Map<Token, number>, most: number): TokenChance {
  const told = (one: Token, probability: number) => ({
    token: model.detokenize([one], true),
    // A probability of 0 has no logarithm in JSON.
    logprob: Math.log(Math.max(probability, Number.MIN_VALUE)),
  });
  const likeliest: TokenChance['likeliest'] = [];
  for (const [one, probability] of probabilities) {
    if (likeliest.length >= most) break;
    likeliest.push(told(one, probability));
  }
  return { ...told(token, probabilities.get(token) ?? 0), likeliest };
}
