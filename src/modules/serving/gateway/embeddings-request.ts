import { AppError } from '../../../kernel/errors.js';

/** As OpenAI allows. */
const MOST_TEXTS = 2048;

export interface EmbeddingsRequest {
  model: string;
  texts: string[];
  encoding: 'float' | 'base64';
  as: 'query' | 'passage';
}

function refuse(param: string, message: string): never {
  throw new AppError('bad_request', `${param}: ${message}`, [{ path: param, message }]);
}

/** @throws AppError naming the field that is wrong */
export function readEmbeddingsRequest(body: Record<string, unknown>): EmbeddingsRequest {
  const { model, input, dimensions, encoding_format: encoding = 'float', input_type: as = 'passage' } = body;
  if (typeof model !== 'string' || model === '') refuse('model', 'must name the embedding model');
  if (dimensions !== undefined && dimensions !== null)
    refuse('dimensions', 'the model has one size of vectors, which cannot be shortened; leave it out');
  if (encoding !== 'float' && encoding !== 'base64') refuse('encoding_format', 'must be float or base64');
  if (as !== 'query' && as !== 'passage') refuse('input_type', 'must be query or passage');
  return { model, texts: textsOf(input), encoding, as };
}

function textsOf(input: unknown): string[] {
  const texts: unknown[] = Array.isArray(input) ? input : [input];
  if (texts.length === 0 || texts.length > MOST_TEXTS) refuse('input', `must be a text, or 1 to ${MOST_TEXTS} texts`);
  if (!texts.every((text): text is string => typeof text === 'string'))
    refuse('input', 'must be a text or a list of texts; numbers of tokens are not taken');
  if (texts.includes('')) refuse('input', 'must not hold an empty text');
  return texts;
}

/** Little-endian 32-bit floats, as OpenAI packs them. */
export const packed = (vector: readonly number[]): string =>
  Buffer.from(Float32Array.from(vector).buffer).toString('base64');
