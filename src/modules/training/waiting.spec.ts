import { waitingFor } from './waiting.js';

const NOW = 1_000_000;
const job = (status: 'pending' | 'queued' | 'running', delay = 0) => ({ status, not_before: new Date(NOW + delay) });

describe('what a job waits for', () => {
  it('is nothing once it runs', () => expect(waitingFor(job('running'), 'slot', NOW)).toBeNull());
  it('is what the head of the queue waits for', () => {
    for (const reason of ['slot', 'gpu', 'disk', 'trainer'] as const)
      expect(waitingFor(job('queued'), reason, NOW)).toBe(reason);
    expect(waitingFor(job('pending'), undefined, NOW)).toBeNull();
  });
  it('is its own delay before a retry, unless nothing can start at all', () => {
    expect(waitingFor(job('queued', 500), undefined, NOW)).toBe('retry_delay');
    expect(waitingFor(job('queued', 500), 'slot', NOW)).toBe('retry_delay');
    expect(waitingFor(job('queued', 500), 'disk', NOW)).toBe('disk');
    expect(waitingFor(job('queued', 500), 'trainer', NOW)).toBe('trainer');
  });
});
