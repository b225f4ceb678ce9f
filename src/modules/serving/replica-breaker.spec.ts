import { ReplicaBreaker } from './replica-breaker.js';

const well = (): Promise<void> => Promise.resolve();
const ill = (): Promise<void> => Promise.reject(new Error('no'));

describe('the breaker of a replica', () => {
  beforeEach(() => void import.meta.jest.useFakeTimers());
  afterEach(() => void import.meta.jest.useRealTimers());
  const fail = async (breaker: ReplicaBreaker, times: number): Promise<void> => {
    for (let answer = 0; answer < times; answer += 1) breaker.answered('failed');
    await import.meta.jest.advanceTimersByTimeAsync(0);
  };

  it('opens at five failures in a row, not at four', async () => {
    const breaker = new ReplicaBreaker();
    for (let answer = 0; answer < 20; answer += 1) breaker.answered('ok');
    await fail(breaker, 4);
    breaker.answered('ok');
    // The library counts a moment later.
    await import.meta.jest.advanceTimersByTimeAsync(0);
    await fail(breaker, 4);
    expect(breaker.isClosed).toBe(true);
    await fail(breaker, 1);
    expect(breaker.isClosed).toBe(false);
  });

  it('opens where half of the answers fail, though never five in a row', async () => {
    const breaker = new ReplicaBreaker();
    for (let answer = 0; answer < 40 && breaker.isClosed; answer += 1) {
      breaker.answered('ok');
      await fail(breaker, 2);
    }
    expect(breaker.isClosed).toBe(false);
  });

  it('closes when a look succeeds, but not before its pause is over', async () => {
    const breaker = new ReplicaBreaker();
    await fail(breaker, 5);
    expect(await breaker.recover(well)).toBe(false);
    await import.meta.jest.advanceTimersByTimeAsync(31_000);
    expect(await breaker.recover(ill)).toBe(false);
    expect(await breaker.recover(well)).toBe(false);
    await import.meta.jest.advanceTimersByTimeAsync(31_000);
    expect(await breaker.recover(well)).toBe(true);
    expect(breaker.isClosed).toBe(true);
  });

  it('does not count answers that began before it opened', async () => {
    const breaker = new ReplicaBreaker();
    await fail(breaker, 5);
    await import.meta.jest.advanceTimersByTimeAsync(31_000);
    breaker.answered('ok');
    await import.meta.jest.advanceTimersByTimeAsync(0);
    expect(breaker.isClosed).toBe(false);
  });

  it('begins anew with a new process', async () => {
    const breaker = new ReplicaBreaker();
    await fail(breaker, 5);
    breaker.reset();
    expect(breaker.isClosed).toBe(true);
  });
});
