import { AdapterSlots, leastWanted, type Held } from './adapter-slots.js';

const held = (versionId: string, lastUsed: number, change: Partial<Held> = {}): Held => ({
  versionId,
  engineName: versionId,
  effect: 'changes',
  lastUsed,
  answers: new Set(),
  isLeaving: false,
  ...change,
});
const nobody = (): 0 => 0;

describe('the adapter that makes room', () => {
  it('is the one used longest ago', () => {
    expect(leastWanted([held('b', 2), held('a', 1), held('c', 3)], nobody)?.versionId).toBe('a');
  });

  it('is none that answers, or that goes already', () => {
    const busy = held('a', 1, { answers: new Set([new AbortController()]) });
    expect(leastWanted([busy, held('b', 2, { isLeaving: true })], nobody)).toBeUndefined();
    expect(leastWanted([busy, held('c', 9)], nobody)?.versionId).toBe('c');
  });

  it('is one that an alias means only after the others, and a pinned one last', () => {
    const importance = (id: string) => (id === 'pinned' ? 2 : id === 'meant' ? 1 : 0);
    const all = [held('pinned', 1), held('meant', 2), held('other', 3)];
    expect(leastWanted(all, importance)?.versionId).toBe('other');
    expect(leastWanted(all.slice(0, 2), importance)?.versionId).toBe('meant');
    expect(leastWanted(all.slice(0, 1), importance)?.versionId).toBe('pinned');
  });
});

describe('the slots', () => {
  it('count what is being loaded', () => {
    const slots = new AdapterSlots(2);
    slots.put(held('a', 1));
    const giveBack = slots.reserve();
    expect([slots.free, slots.reserve(), slots.canTake]).toEqual([0, undefined, true]);
    giveBack?.();
    expect(slots.free).toBe(1);
  });

  it('can take none while all of them answer', () => {
    const slots = new AdapterSlots(1);
    slots.put(held('a', 1, { answers: new Set([new AbortController()]) }));
    expect(slots.canTake).toBe(false);
    slots.drop('a');
    expect(slots.canTake).toBe(true);
  });
});
