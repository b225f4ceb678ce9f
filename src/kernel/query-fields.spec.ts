import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { CursorField, PageLimit, WholeField, WordField } from './query-fields.js';

class Query {
  @PageLimit(50)
  limit: number = 50;

  @WholeField(0, 9)
  offset?: number;

  @WordField(['a', 'b'])
  word?: string;

  @CursorField()
  cursor?: string;
}

const read = (sent: Record<string, unknown>): Query => plainToInstance(Query, sent);
const wrong = (sent: Record<string, unknown>): [string, unknown][] =>
  validateSync(read(sent)).map(({ property, value }) => [property, value]);

describe('the fields of a query', () => {
  it.each([
    [{}, { limit: 50 }],
    [{ limit: '', offset: '', word: '' }, { limit: 50 }],
    [{ limit: null, offset: null, word: null, cursor: null }, { limit: 50 }],
    [
      { limit: '20', offset: '3', word: 'b', cursor: 'x' },
      { limit: 20, offset: 3, word: 'b', cursor: 'x' },
    ],
    [{ limit: '5000' }, { limit: 1000 }],
  ])('%j', (sent, expected) => {
    expect(wrong(sent)).toEqual([]);
    expect(JSON.parse(JSON.stringify(read(sent)))).toEqual(expected);
  });

  it.each([
    [{ limit: 'abc' }, [['limit', 'abc']]],
    [{ limit: '0' }, [['limit', 0]]],
    [{ limit: '1.5' }, [['limit', 1.5]]],
    [{ limit: ['1', '2'] }, [['limit', ['1', '2']]]],
    [{ offset: '10' }, [['offset', 10]]],
    [{ offset: '-1' }, [['offset', -1]]],
    [{ word: 'c' }, [['word', 'c']]],
    [{ cursor: 'x'.repeat(201) }, [['cursor', 'x'.repeat(201)]]],
  ])('%j is refused with what was sent', (sent, expected) => expect(wrong(sent)).toEqual(expected));
});
