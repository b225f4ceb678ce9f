import { EmbedderUnavailable } from '../../modules/documents/embedder.port.js';
import { decodeVectors, unit } from './vectors.js';

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/**
 * The vectors of an answer of /v1/embeddings, in the order of the inputs and of unit length.
 * @throws EmbedderUnavailable where it is none
 */
export function vectorsOf(answer: unknown, inputs: number): number[][] {
  const data: unknown = isObject(answer) ? answer['data'] : undefined;
  if (!Array.isArray(data)) throw new EmbedderUnavailable('the embedding server answers without "data"');
  if (data.length !== inputs)
    throw new EmbedderUnavailable(`the embedding server answers ${data.length} vectors for ${inputs} texts`);
  const vectors: number[][] = [];
  for (const [position, item] of data.entries()) {
    const index = isObject(item) && typeof item['index'] === 'number' ? item['index'] : position;
    vectors[index] = unit(numbersOf(isObject(item) ? item['embedding'] : undefined));
  }
  if (vectors.length !== inputs || Object.keys(vectors).length !== inputs)
    throw new EmbedderUnavailable('the embedding server answers vectors whose "index" is not that of the texts');
  return vectors;
}

function numbersOf(embedding: unknown): number[] {
  if (typeof embedding === 'string') return decodeVectors(embedding, 1)[0] ?? [];
  if (Array.isArray(embedding) && embedding.every((value) => typeof value === 'number')) return embedding;
  throw new EmbedderUnavailable('the embedding server answers something that is no vector of numbers');
}

/** Longest input of a model by vLLM's list of models; undefined: not said. */
export function longestInputOf(answer: unknown, model: string): number | undefined {
  const data: unknown = isObject(answer) ? answer['data'] : undefined;
  const found = Array.isArray(data) ? data.find((item) => isObject(item) && item['id'] === model) : undefined;
  const length: unknown = isObject(found) ? found['max_model_len'] : undefined;
  return typeof length === 'number' && length > 0 ? length : undefined;
}

/** How a server takes texts to count: many at once (text-embeddings-inference), or one (vLLM, llama.cpp). */
export type TokenizeWay = 'many' | 'one';

/** Every server finds the name that it knows. */
export const tokenizeBody = (model: string, texts: readonly string[]): object => ({
  model,
  prompt: texts[0],
  content: texts[0],
  inputs: texts,
  add_special_tokens: false,
});

/** undefined: no answer of a tokenizer. */
export function tokenizedBy(answer: unknown): { way: TokenizeWay; counts: number[] } | undefined {
  if (Array.isArray(answer) && answer.every(Array.isArray))
    return { way: 'many', counts: answer.map((tokens) => tokens.length) };
  if (!isObject(answer)) return undefined;
  if (typeof answer['count'] === 'number') return { way: 'one', counts: [answer['count']] };
  return Array.isArray(answer['tokens']) ? { way: 'one', counts: [answer['tokens'].length] } : undefined;
}
