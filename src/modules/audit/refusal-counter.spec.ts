import { RefusalCounter, WINDOW_MS, type Refusal } from './refusal-counter.js';

const refusal = (address: string): Refusal => ({
  who: { address, requestId: 'r', certificate: null },
  entry: { action: 'http.get', detail: { permission: 'audit:read' } },
});

describe('the counter of refusals', () => {
  let now = 0;
  beforeEach(() => (now = 0));

  it('lets the first through and counts the others of a minute', () => {
    const counter = new RefusalCounter(() => now);
    expect(counter.add(refusal('a'))).toEqual(refusal('a'));
    expect([counter.add(refusal('a')), counter.add(refusal('a'))]).toEqual([undefined, undefined]);
    expect(counter.due()).toEqual([]);
    now = WINDOW_MS;
    expect(counter.due().map(({ entry }) => entry.detail)).toEqual([{ permission: 'audit:read', count: 2 }]);
    expect(counter.due('all')).toEqual([]);
  });

  it('writes no count for a refusal that came once, and tells addresses apart', () => {
    const counter = new RefusalCounter(() => now);
    expect([counter.add(refusal('a')), counter.add(refusal('b'))]).toEqual([refusal('a'), refusal('b')]);
    expect(counter.due('all')).toEqual([]);
  });

  it('keeps the count of an ended window that nobody has fetched', () => {
    const counter = new RefusalCounter(() => now);
    counter.add(refusal('a'));
    counter.add(refusal('a'));
    now = WINDOW_MS;
    expect(counter.add(refusal('a'))?.entry.detail).toMatchObject({ count: 2 });
  });

  it('is bounded, and says how many it did not count', () => {
    const counter = new RefusalCounter(() => now, 2);
    for (const address of ['a', 'b', 'c', 'd']) counter.add(refusal(address));
    expect([counter.takeDropped(), counter.takeDropped()]).toEqual([2, 0]);
  });
});
