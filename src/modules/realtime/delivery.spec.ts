import { blockadeNow, cursorAfterPage, nextStep, startAfter, withoutHole } from './delivery.js';

describe('nextStep', () => {
  const standing = { cursor: 10, floor: 5, tail: 20, backlog: 0, maxBacklog: 100 };

  it.each([
    ['reads memory', {}, 'ring'],
    ['reads memory from its very start', { cursor: 5 }, 'ring'],
    ['reads the log where memory begins later', { cursor: 4 }, 'feed'],
    ['has nothing to do when up to date', { cursor: 20 }, 'nothing'],
    ['has nothing to do when ahead of what was handed out', { cursor: 25 }, 'nothing'],
    ['waits for a slow client', { backlog: 101 }, 'wait'],
    ['does not wait for a slow client that is up to date', { cursor: 20, backlog: 101 }, 'nothing'],
  ])('%s', (_name, change, step) => {
    expect(nextStep({ ...standing, ...change })).toBe(step);
  });
});

describe('cursorAfterPage', () => {
  it('stands at the last event of a full page', () => {
    expect(cursorAfterPage(1, [{ stream: 4 }, { stream: 7 }], 2, 20)).toBe(7);
  });

  it('stands at the tail after a page that was not full', () => {
    expect(cursorAfterPage(1, [{ stream: 4 }], 2, 20)).toBe(20);
  });

  it('does not fall back to a tail that the page has overtaken', () => {
    expect(cursorAfterPage(1, [{ stream: 24 }], 2, 20)).toBe(24);
  });
});

describe('startAfter', () => {
  const holdings = { oldest: 50, newest: 90, tail: 88 };

  it.each([
    ['replays everything', 0, { cursor: 0 }],
    ['goes on inside the store', 60, { cursor: 60 }],
    ['misses nothing just before the store', 49, { cursor: 49 }],
    ['replays what is left behind a gap', 48, { cursor: 48, gap: { after: 48, oldest: 50 } }],
    ['has nothing to replay', 90, { cursor: 90 }],
    ['starts anew for a number of another log', 91, { cursor: 90, gap: { after: 91, oldest: 50 } }],
  ])('%s', (_name, after, start) => {
    expect(startAfter(after, holdings)).toEqual(start);
  });

  it('sees a gap where nothing is stored any more', () => {
    expect(startAfter(7, { oldest: 0, newest: 0, tail: 0 })).toEqual({ cursor: 0, gap: { after: 7, oldest: 0 } });
  });
});

describe('blockadeNow', () => {
  it('starts, lasts while nothing is taken, and starts again when something is', () => {
    const started = blockadeNow(undefined, 100, 1000);
    expect(started).toEqual({ backlog: 100, since: 1000 });
    expect(blockadeNow(started, 100, 2000)).toBe(started);
    expect(blockadeNow(started, 99, 3000)).toEqual({ backlog: 99, since: 3000 });
  });
});

describe('withoutHole', () => {
  const newest = [{ number: 4 }, { number: 5 }, { number: 6 }];

  it.each([
    ['what follows', 4, [{ number: 5 }, { number: 6 }]],
    ['all there are, where they follow at once', 3, newest],
    ['nothing, for one that has seen all', 6, []],
    ['undefined, where one is missing', 2, undefined],
  ])('is %s', (_name, after, following) => {
    expect(withoutHole(newest, after)).toEqual(following);
  });

  it('is undefined where nothing is known of the job', () => {
    expect(withoutHole([], 0)).toBeUndefined();
  });
});
