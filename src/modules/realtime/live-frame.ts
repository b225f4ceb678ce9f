import type { JobEvent, JobSnapshot } from '../training/job-events.port.js';

export type FrameBody = { type: string } & Record<string, unknown>;

/** A message to clients. Each encoding is made once, however many clients get it. */
export class LiveFrame {
  #json: string | undefined;
  #text: Buffer | undefined;
  #packet: string | undefined;

  constructor(readonly body: FrameBody) {}

  /** The body as JSON, for plain WebSockets. */
  get text(): Buffer {
    return (this.#text ??= Buffer.from(this.#encoded()));
  }

  /** An EVENT packet of the Socket.IO protocol (revision 5), namespace "/": 2["type",body]. */
  get packet(): string {
    return (this.#packet ??= `2[${JSON.stringify(this.body.type)},${this.#encoded()}]`);
  }

  #encoded(): string {
    return (this.#json ??= JSON.stringify(this.body));
  }
}

/** The update of one event, and the event itself for those who want all of it. */
export class EventFrame extends LiveFrame {
  #bytes: number | undefined;

  constructor(readonly event: JobEvent) {
    super(jobUpdate(event));
  }

  /** Memory that this frame takes, roughly: the event, its update, and both encodings. */
  get bytes(): number {
    return (this.#bytes ??= 2 * JSON.stringify(this.event).length + 3 * this.text.length);
  }
}

export function jobUpdate(event: JobEvent): FrameBody {
  const { job } = event.data;
  return {
    type: 'job_update',
    job_id: event.job_id,
    status: job.status,
    paused: job.paused ?? false,
    progress_percent: job.progress_percent,
    current_epoch: job.current_epoch,
    total_epochs: job.total_epochs,
    metrics: job.metrics,
    timestamp: event.time,
    step: job.current_step,
    total_steps: job.total_steps,
    seconds_left: job.seconds_left,
    event: event.type,
    number: event.number,
    stream: event.stream,
  };
}

const iso = (now: number): string => new Date(now).toISOString();
const frame = (body: FrameBody): LiveFrame => new LiveFrame(body);

export const connectionFrame = (lastEvent: number, now: number): LiveFrame =>
  frame({ type: 'connection', status: 'connected', last_event: lastEvent, timestamp: iso(now) });

export const pongFrame = (now: number): LiveFrame => frame({ type: 'pong', timestamp: iso(now) });

export const errorFrame = (message: string, now: number): LiveFrame =>
  frame({ type: 'error', message, timestamp: iso(now) });

/** Some events behind `after` and before `oldest` are not stored any more; what is stored follows. */
export const gapFrame = (after: number, oldest: number, now: number): LiveFrame =>
  frame({ type: 'gap', after, oldest, timestamp: iso(now) });

/** The state after all events up to `stream`; updates that follow with a smaller number are older than it. */
export const snapshotFrame = (stream: number, jobs: ({ job_id: string } & JobSnapshot)[], now: number): LiveFrame =>
  frame({ type: 'snapshot', stream, jobs, timestamp: iso(now) });

/** Answer to a subscription: the updates behind `stream` follow. */
export const subscribedFrame = (jobId: string | null, stream: number, now: number): LiveFrame =>
  frame({ type: 'subscribed', job_id: jobId, stream, timestamp: iso(now) });

export const unsubscribedFrame = (jobId: string | null, now: number): LiveFrame =>
  frame({ type: 'unsubscribed', job_id: jobId, timestamp: iso(now) });

/** The first frame of a socket that hears of one topic. */
export const welcomeFrame = (topic: string, now: number): LiveFrame =>
  frame({ type: 'connection', status: 'connected', message: `Connected to ${topic} updates`, timestamp: iso(now) });

export const broadcastFrame = (body: FrameBody, now: number): LiveFrame => frame({ ...body, timestamp: iso(now) });
