import type { AppError } from '../../../kernel/errors.js';
import { packed, readEmbeddingsRequest } from './embeddings-request.js';

describe('requests for embeddings', () => {
  it.each([
    [
      { model: 'e5', input: 'a' },
      { model: 'e5', texts: ['a'], encoding: 'float', as: 'passage' },
    ],
    [
      { model: 'e5', input: ['a', 'b'], encoding_format: 'base64', input_type: 'query', user: 'x', dimensions: null },
      { model: 'e5', texts: ['a', 'b'], encoding: 'base64', as: 'query' },
    ],
  ])('%j', (body, expected) => expect(readEmbeddingsRequest(body)).toEqual(expected));

  it.each([
    [{ input: 'a' }, 'model'],
    [{ model: 'e5' }, 'input'],
    [{ model: 'e5', input: [] }, 'input'],
    [{ model: 'e5', input: [''] }, 'input'],
    [{ model: 'e5', input: [1, 2] }, 'input'],
    [{ model: 'e5', input: 'a', dimensions: 8 }, 'dimensions'],
    [{ model: 'e5', input: 'a', encoding_format: 'int8' }, 'encoding_format'],
    [{ model: 'e5', input: 'a', input_type: 'x' }, 'input_type'],
    [{ model: 'e5', input: Array.from({ length: 2049 }, () => 'a') }, 'input'],
  ])('%j is refused', (body, param) => {
    let refused: AppError | undefined;
    try {
      readEmbeddingsRequest(body);
    } catch (error) {
      refused = error as AppError;
    }
    expect([refused?.status, refused?.problems[0]?.path]).toEqual([400, param]);
  });

  it('are packed as 32-bit floats', () => {
    const bytes = Buffer.from(packed([0.5, -1]), 'base64');
    expect([bytes.readFloatLE(0), bytes.readFloatLE(4)]).toEqual([0.5, -1]);
  });
});
