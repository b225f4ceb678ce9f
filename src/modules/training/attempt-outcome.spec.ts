import { decideOutcome, deathOf, lastLines, stoppedFor, type EndedAttempt } from './attempt-outcome.js';
import type { FailedData, FinishedData, StoppedData } from './run-contract.generated.js';

const policy = { maxAttempts: 3, retryDelaySeconds: 5 };
const exit = { code: 0, signal: null, time: '2026-11-23T10:00:00.000Z' };
const finished = { adapter: 'adapter', report: {} } as unknown as FinishedData;

const ended = (change: Partial<EndedAttempt>): EndedAttempt => ({
  lastWord: undefined,
  exit,
  wish: undefined,
  failures: 0,
  batchHalvings: 0,
  batchSize: 4,
  logTail: '',
  ...change,
});
const decide = (change: Partial<EndedAttempt>) => decideOutcome(ended(change), policy);
const failed = (code: FailedData['code'], retryable = false): EndedAttempt['lastWord'] => ({
  type: 'failed',
  data: { code, message: `it was ${code}`, retryable },
});
const stopped = (reason: StoppedData['reason']): EndedAttempt['lastWord'] => ({
  type: 'stopped',
  data: { reason, checkpoint: null },
});

describe('what becomes of an ended attempt', () => {
  it('is completed once the worker said so, whatever was wished or came after', () => {
    const lastWord: EndedAttempt['lastWord'] = { type: 'finished', data: finished };
    for (const wish of [undefined, 'cancel', 'shutdown', 'time_limit'] as const)
      expect(decide({ lastWord, wish, exit: { ...exit, code: 1 } })).toEqual({ become: 'completed', finished });
  });

  it('is cancelled when that was wished, however the worker ended', () => {
    for (const lastWord of [undefined, stopped('cancel'), failed('internal', true)])
      expect(decide({ lastWord, wish: 'cancel' })).toEqual({ become: 'cancelled' });
  });

  it('is paused when that was wished, however the worker was stopped, and nobody is to blame', () => {
    for (const lastWord of [undefined, stopped('pause'), stopped('signal')])
      expect(decide({ lastWord, wish: 'pause', exit: { ...exit, code: null, signal: 'SIGKILL' } })).toEqual({
        become: 'paused',
      });
    expect(decide({ lastWord: failed('out_of_memory'), wish: 'pause' })).toMatchObject({ reason: 'out_of_memory' });
    expect(decide({ lastWord: failed('invalid_data'), wish: 'pause' })).toMatchObject({ become: 'failed' });
  });

  it.each([
    [{ cancel: true, pause: true }, 'pause', 'cancel'],
    [{ cancel: false, pause: true }, undefined, 'pause'],
    [{ cancel: false, pause: true }, 'shutdown', 'pause'],
    [{ cancel: false, pause: true }, 'time_limit', 'time_limit'],
    [{ cancel: false, pause: false }, 'pause', 'shutdown'],
    [{ cancel: false, pause: false }, 'shutdown', 'shutdown'],
    [{ cancel: false, pause: false }, undefined, undefined],
  ] as const)('wished %j and told %s: it was stopped for %s', (wishes, told, reason) => {
    expect(stoppedFor(wishes, told)).toBe(reason);
  });

  it('is failed at the time limit, also when another application had wished it', () => {
    const failure = {
      become: 'failed',
      code: 'time_limit',
      message: expect.stringContaining('CLARA_JOB_TIMEOUT_MINUTES'),
    };
    expect(decide({ wish: 'time_limit' })).toEqual(failure);
    expect(decide({ wish: 'time_limit', lastWord: stopped('time_limit') })).toEqual(failure);
    expect(decide({ lastWord: stopped('time_limit') })).toEqual(failure);
  });

  it('goes on at once after a stop that nobody is to blame for', () => {
    expect(decide({ wish: 'shutdown', lastWord: stopped('shutdown') })).toMatchObject({
      become: 'queued',
      reason: 'shutdown',
      delaySeconds: 0,
    });
    expect(decide({ lastWord: stopped('signal') })).toMatchObject({
      become: 'queued',
      reason: 'shutdown',
      delaySeconds: 0,
    });
    expect(decide({ lastWord: stopped('orphan') })).toMatchObject({
      become: 'queued',
      reason: 'orphan',
      delaySeconds: 0,
    });
    // Killed past the grace of a shutdown: still no failure of the job.
    expect(decide({ wish: 'shutdown', exit: undefined, failures: 2 })).toMatchObject({
      become: 'queued',
      reason: 'shutdown',
    });
  });

  describe('after running out of memory', () => {
    const memory = failed('out_of_memory', true);
    it('is tried with half the micro-batch, twice, without a delay', () => {
      for (const batchHalvings of [0, 1])
        expect(decide({ lastWord: memory, batchHalvings, failures: 2 })).toEqual({
          become: 'queued',
          reason: 'out_of_memory',
          delaySeconds: 0,
          message: 'it was out_of_memory',
        });
    });
    it('counts as any other failure when the batch cannot be halved', () => {
      for (const change of [{ batchHalvings: 2 }, { batchSize: 1 }]) {
        expect(decide({ lastWord: memory, ...change })).toMatchObject({
          become: 'queued',
          reason: 'retryable',
          delaySeconds: 5,
        });
        expect(decide({ lastWord: memory, ...change, failures: 2 })).toEqual({
          become: 'failed',
          code: 'out_of_memory',
          message: 'it was out_of_memory',
        });
      }
    });
  });

  it('is failed at once where another attempt cannot help', () => {
    for (const code of ['invalid_data', 'invalid_model', 'world_size', 'disk_full', 'not_allowed'] as const)
      expect(decide({ lastWord: failed(code) })).toEqual({ become: 'failed', code, message: `it was ${code}` });
  });

  it('is tried again with growing pauses, up to the most attempts', () => {
    for (const lastWord of [failed('internal', true), undefined]) {
      expect([0, 1].map((failures) => decide({ lastWord, failures }))).toMatchObject([
        { become: 'queued', delaySeconds: 5 },
        { become: 'queued', delaySeconds: 10 },
      ]);
      expect(decide({ lastWord, failures: 2 }).become).toBe('failed');
    }
    expect(decideOutcome(ended({}), { ...policy, maxAttempts: 1 }).become).toBe('failed');
  });

  it('tells the last words of a worker that said nothing of its end', () => {
    const logTail = 'loading\nTraceback (most recent call last):\nValueError: nonsense\n';
    expect(decide({ logTail, exit: { ...exit, code: 1 } })).toMatchObject({
      message:
        'The worker ended with exit code 1 without a word. Its last words:\nloading\nTraceback (most recent call last):\nValueError: nonsense',
    });
    expect(decide({ logTail, failures: 2 })).toMatchObject({
      become: 'failed',
      code: 'killed',
      message: expect.stringMatching(/\(attempt 3 of 3\)$/),
    });
  });
});

describe('the death of a worker', () => {
  it.each([
    [
      'subprocess.CalledProcessError: died with <Signals.SIGKILL: 9>.',
      'was ended by SIGKILL (by hand, or by the system when memory ran out)',
    ],
    ['died with <Signals.SIGSEGV: 11>.', 'was ended by SIGSEGV'],
    ['Signal 9 (SIGKILL) received by PID 5', 'was ended by SIGKILL (by hand, or by the system when memory ran out)'],
  ])('is named as accelerate or torchrun name it: %s', (log, words) =>
    expect(deathOf({ ...exit, code: 1 }, log)).toBe(words),
  );

  it('is named by what the launcher recorded, and by its absence', () => {
    expect(deathOf({ ...exit, code: 3 }, '')).toBe('ended with exit code 3 without a word');
    expect(deathOf({ ...exit, code: null, signal: 'SIGBUS' }, '')).toBe('was ended by SIGBUS');
    expect(deathOf(undefined, '')).toBe('was ended by SIGKILL together with its launcher');
  });
});

describe('the last lines of a log', () => {
  it('are twelve, without empty ones and without the steps of a progress bar', () => {
    const log = Array.from({ length: 30 }, (_, index) => `line ${index}`).join('\n\n');
    expect(lastLines(log).split('\n')).toEqual(Array.from({ length: 12 }, (_, index) => `line ${18 + index}`));
    expect(lastLines('10%\r50%\r100%\r\ndone  \n\n')).toBe('10%\n50%\n100%\ndone');
    expect(lastLines('')).toBe('');
  });
});
