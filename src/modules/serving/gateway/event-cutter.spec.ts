import { countEvents, EventCutter, eventsOf } from './event-cutter.js';

const letThrough = (...pieces: string[]) => {
  const cutter = new EventCutter();
  return [pieces.map((piece) => cutter.push(Buffer.from(piece)).toString()), cutter.rest.toString()];
};

describe('whole events', () => {
  it.each([
    [['data: a\n\n'], ['data: a\n\n'], ''],
    [['data: a\n\ndata: b'], ['data: a\n\n'], 'data: b'],
    [['data: a\n\ndata: b', '\n', '\ndata: c\n\n'], ['data: a\n\n', '', 'data: b\n\ndata: c\n\n'], ''],
    [['data: a\r\n', '\r\nda'], ['', 'data: a\r\n\r\n'], 'da'],
    [['data: a\n'], [''], 'data: a\n'],
    [['\n\n'], ['\n\n'], ''],
    [[''], [''], ''],
  ])('of %j', (pieces, through, rest) => expect(letThrough(...pieces)).toEqual([through, rest]));

  it('come one by one', () => {
    const whole = 'data: a\n\ndata: b\r\n\r\n: c\n\n';
    expect(eventsOf(Buffer.from(whole)).map(String)).toEqual(['data: a\n\n', 'data: b\r\n\r\n', ': c\n\n']);
    expect(eventsOf(Buffer.from('data: a\n\nda')).map(String)).toEqual(['data: a\n\n', 'da']);
    expect(countEvents(Buffer.from(whole))).toBe(2);
    expect(countEvents(Buffer.from('data: "data: x"\n\n'))).toBe(1);
  });

  it('hold back no event without an end', () => {
    expect(letThrough('x'.repeat(5_000_000))[1]).toBe('');
  });
});
