import type { FailedData, FinishedData, StoppedData } from './run-contract.generated.js';
import type { ExitRecord, StopReason } from './run-folder.js';

/** What is known of an attempt of which nothing lives any more. */
export interface EndedAttempt {
  lastWord:
    | { type: 'finished'; data: FinishedData }
    | { type: 'stopped'; data: StoppedData }
    | { type: 'failed'; data: FailedData }
    | undefined;
  exit: ExitRecord | undefined;
  /** What the application asked the worker to do. */
  wish: StopReason | undefined;
  failures: number;
  batchHalvings: number;
  /** Micro-batch of the attempt. */
  batchSize: number;
  logTail: string;
}

export interface RetryPolicy {
  maxAttempts: number;
  retryDelaySeconds: number;
}

/** Another attempt follows, from the last checkpoint. */
export interface Requeued {
  become: 'queued';
  reason: 'killed' | 'out_of_memory' | 'shutdown' | 'orphan' | 'retryable';
  delaySeconds: number;
  message: string;
}

export type Outcome =
  | { become: 'completed'; finished: FinishedData }
  | { become: 'failed'; message: string; code: string }
  | { become: 'cancelled' }
  /** No attempt follows before somebody asks for it; `instead` of the one that would have. */
  | { become: 'paused'; instead?: Requeued }
  | Requeued;

const MOST_HALVINGS = 2;
const LAST_LINES = 12;

/** The end of a log in a few lines, without progress bars. */
export function lastLines(log: string): string {
  const lines = log.split(/[\r\n]+/).map((line) => line.trimEnd());
  return lines
    .filter((line) => line.trim() !== '')
    .slice(-LAST_LINES)
    .join('\n');
}

/** The signal that ended the worker: accelerate names it in its own complaint. */
export function deathOf(exit: ExitRecord | undefined, log: string): string {
  const named =
    /died with <Signals\.(SIG[A-Z]+)/.exec(log)?.[1] ?? /Signal \d+ \((SIG[A-Z]+)\) received/.exec(log)?.[1];
  if (named)
    return named === 'SIGKILL'
      ? 'was ended by SIGKILL (by hand, or by the system when memory ran out)'
      : `was ended by ${named}`;
  if (!exit) return 'was ended by SIGKILL together with its launcher';
  if (exit.signal) return `was ended by ${exit.signal}`;
  return `ended with exit code ${exit.code ?? 'unknown'} without a word`;
}

/** What people want of a job: told by its row, whoever was told first. */
export interface Wishes {
  cancel: boolean;
  pause: boolean;
}

/** Why the worker was stopped: a pause that was asked for and withdrawn is a stop like any other. Pure. */
export function stoppedFor(wishes: Wishes, told: StopReason | undefined): StopReason | undefined {
  if (wishes.cancel) return 'cancel';
  if (told === 'time_limit') return told;
  if (wishes.pause) return 'pause';
  return told === 'pause' ? 'shutdown' : told;
}

/** Decides what becomes of a job whose attempt has ended; pure. */
export function decideOutcome(ended: EndedAttempt, policy: RetryPolicy): Outcome {
  const { lastWord } = ended;
  if (lastWord?.type === 'finished') return { become: 'completed', finished: lastWord.data };
  if (ended.wish === 'cancel') return { become: 'cancelled' };
  if (ended.wish === 'time_limit' || (lastWord?.type === 'stopped' && lastWord.data.reason === 'time_limit'))
    return {
      become: 'failed',
      code: 'time_limit',
      message:
        'The time limit of the job was reached (CLARA_JOB_TIMEOUT_MINUTES); its last checkpoint is kept, retry goes on from there',
    };
  if (lastWord?.type === 'failed') return afterFailure(lastWord.data, ended, policy);
  if (ended.wish === 'pause') return { become: 'paused' };
  if (lastWord?.type === 'stopped' || ended.wish === 'shutdown') return afterStop(ended, lastWord?.data);
  return afterDeath(ended, policy);
}

function afterStop(ended: EndedAttempt, stopped: StoppedData | undefined): Outcome {
  const reason = stopped?.reason === 'orphan' ? 'orphan' : 'shutdown';
  return {
    become: 'queued',
    reason,
    delaySeconds: 0,
    message: `The worker was asked to stop (${stopped?.reason ?? ended.wish})`,
  };
}

function afterFailure(failed: FailedData, ended: EndedAttempt, policy: RetryPolicy): Outcome {
  if (failed.code === 'out_of_memory' && ended.batchHalvings < MOST_HALVINGS && ended.batchSize > 1)
    return { become: 'queued', reason: 'out_of_memory', delaySeconds: 0, message: failed.message };
  if (failed.retryable && ended.failures + 1 < policy.maxAttempts)
    return { become: 'queued', reason: 'retryable', delaySeconds: backOff(ended, policy), message: failed.message };
  return { become: 'failed', code: failed.code, message: failed.message };
}

function afterDeath(ended: EndedAttempt, policy: RetryPolicy): Outcome {
  const words = lastLines(ended.logTail);
  const message = `The worker ${deathOf(ended.exit, ended.logTail)}.${words ? ` Its last words:\n${words}` : ''}`;
  if (ended.failures + 1 < policy.maxAttempts)
    return { become: 'queued', reason: 'killed', delaySeconds: backOff(ended, policy), message };
  return {
    become: 'failed',
    code: 'killed',
    message: `${message}\n(attempt ${ended.failures + 1} of ${policy.maxAttempts})`,
  };
}

const backOff = (ended: EndedAttempt, policy: RetryPolicy): number => policy.retryDelaySeconds * 2 ** ended.failures;
