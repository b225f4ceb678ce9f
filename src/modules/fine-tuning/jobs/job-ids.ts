import { createHash, randomBytes } from 'node:crypto';

const PREFIX = 'ftjob-';
const JOB = /^ftjob-[0-9a-f]{24}$/;

export const newJobId = (): string => `${PREFIX}${randomBytes(12).toString('hex')}`;
export const isJobId = (id: string): boolean => JOB.test(id);

const digits = (jobId: string): string => jobId.slice(PREFIX.length);

export const eventId = (jobId: string, position: number): string =>
  `ftevent-${digits(jobId)}${position.toString(16).padStart(8, '0')}`;

/** The position that an event's id tells; undefined where it is no event of this job. */
export function eventPosition(jobId: string, id: string): number | undefined {
  const start = `ftevent-${digits(jobId)}`;
  const rest = id.startsWith(start) ? id.slice(start.length) : '';
  return /^[0-9a-f]{8}$/.test(rest) ? Number.parseInt(rest, 16) : undefined;
}

export const checkpointId = (jobId: string, step: number): string =>
  `ftckpt-${digits(jobId)}${step.toString(16).padStart(8, '0')}`;

/** One results file a job, whoever writes it. */
export const resultFileId = (jobId: string): string =>
  `file-${createHash('sha256').update(`${jobId} results`).digest('hex').slice(0, 24)}`;
