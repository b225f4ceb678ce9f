import {
  activeStatuses,
  canBecome,
  hiddenBehind,
  idleStatuses,
  isFinal,
  isWaiting,
  jobStatuses,
  shownStatuses,
  sourcesOf,
  waitingStatuses,
} from './job-state.js';

const allowed = new Set([
  'pending queued',
  'pending paused',
  'queued paused',
  'running paused',
  'paused queued',
  'paused cancelled',
  'pending cancelled',
  'pending failed',
  'queued running',
  'queued cancelled',
  'queued failed',
  'running queued',
  'running completed',
  'running failed',
  'running cancelled',
  'failed pending',
  'cancelled pending',
]);

describe('the states of a job', () => {
  it.each(jobStatuses.flatMap((from) => jobStatuses.map((to) => [from, to] as const)))('%s -> %s', (from, to) => {
    expect(canBecome(from, to)).toBe(allowed.has(`${from} ${to}`));
    expect(sourcesOf(to).includes(from)).toBe(canBecome(from, to));
  });

  it('are waiting, running, paused or final, and only completed is left by nobody', () => {
    const held = (status: string): boolean => status === 'running' || status === 'paused';
    for (const status of jobStatuses)
      expect(Number(isWaiting(status)) + Number(isFinal(status)) + Number(held(status))).toBe(1);
    expect(jobStatuses.filter((from) => jobStatuses.every((to) => !canBecome(from, to)))).toEqual(['completed']);
    expect(jobStatuses.filter((status) => !isFinal(status))).toEqual([...activeStatuses]);
    expect(jobStatuses.filter(isWaiting)).toEqual([...waitingStatuses]);
    expect(activeStatuses.filter((status) => status !== 'running')).toEqual([...idleStatuses]);
  });

  it('are shown as the six that clients know, each as one of them', () => {
    expect(shownStatuses.flatMap(hiddenBehind).toSorted()).toEqual([...jobStatuses].toSorted());
    expect(hiddenBehind('pending')).toEqual(['pending', 'paused']);
  });
});
