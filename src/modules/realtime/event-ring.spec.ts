import type { JobEvent } from '../training/job-events.port.js';
import { FakeFeed } from '../../../test/fixtures/live-feed.js';
import { EventRing } from './event-ring.js';
import { EventFrame } from './live-frame.js';

const framesOf = (events: JobEvent[]): EventFrame[] => events.map((event) => new EventFrame(event));
const streams = (frames: EventFrame[]): number[] => frames.map(({ event }) => event.stream);

function feedOf(count: number): { feed: FakeFeed; jobs: string[] } {
  const feed = new FakeFeed();
  const jobs = [feed.addJob(), feed.addJob()];
  for (let index = 0; index < count; index += 1) feed.write(jobs[index % 2] ?? '');
  return { feed, jobs };
}

describe('EventRing', () => {
  it('holds nothing at first, and nothing is behind its start', () => {
    const ring = new EventRing(7, 10, 1e6);
    expect([ring.floor, ring.tail, ring.size]).toEqual([7, 7, 0]);
    expect(ring.after(7, 10)).toEqual({ frames: [], cursor: 7 });
  });

  it('answers pages that join without a hole or a repetition', () => {
    const { feed } = feedOf(25);
    const ring = new EventRing(0, 100, 1e6);
    ring.push(framesOf(feed.events));
    const seen: number[] = [];
    for (let cursor = 0; cursor < ring.tail;) {
      const page = ring.after(cursor, 4);
      seen.push(...streams(page.frames));
      ({ cursor } = page);
    }
    expect(seen).toEqual(feed.events.map(({ stream }) => stream));
  });

  it('answers one job, and moves past the events of others', () => {
    const { feed, jobs } = feedOf(10);
    const ring = new EventRing(0, 100, 1e6);
    ring.push(framesOf(feed.events));
    const page = ring.after(0, 100, jobs[0]);
    expect(streams(page.frames)).toEqual(feed.events.filter((e) => e.job_id === jobs[0]).map((e) => e.stream));
    expect(page.cursor).toBe(ring.tail);
  });

  it.each([1, 5, 300, 1000])('keeps the newest only, in order, when %i at a time come', (size) => {
    const { feed } = feedOf(1000);
    const ring = new EventRing(0, 300, 1e9);
    for (let start = 0; start < 1000; start += size) ring.push(framesOf(feed.events.slice(start, start + size)));
    expect(ring.floor).toBe(feed.events[699]?.stream);
    expect(streams(ring.after(ring.floor, 1e6).frames)).toEqual(feed.events.slice(700).map(({ stream }) => stream));
  });

  it('stays within its bytes', () => {
    const { feed } = feedOf(200);
    const frames = framesOf(feed.events);
    const bytes = frames.slice(-20).reduce((sum, frame) => sum + frame.bytes, 0);
    const ring = new EventRing(0, 1000, bytes);
    ring.push(frames);
    expect(ring.size).toBeLessThanOrEqual(20);
    expect(ring.size).toBeGreaterThan(17);
  });

  it('keeps one event that is larger than all its room', () => {
    const { feed } = feedOf(3);
    const ring = new EventRing(0, 10, 1);
    ring.push(framesOf(feed.events));
    expect(ring.size).toBe(1);
  });
});
