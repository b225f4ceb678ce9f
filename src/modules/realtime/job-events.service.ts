import { Readable } from 'node:stream';
import { Injectable, StreamableFile } from '@nestjs/common';
import type { Response } from 'express';
import { Clock } from '../../kernel/clock.js';
import { AppError } from '../../kernel/errors.js';
import { CredentialWatch } from '../security/credential-watch.port.js';
import type { AuthenticatedRequest, Caller } from '../security/principal.port.js';
import { isFinal, type JobEvent } from '../training/job-events.port.js';
import { EventHub } from './event-hub.js';
import type { JobEventDto, JobEventPage, JobEventsQuery } from './job-events.dto.js';
import { LiveLimits } from './live-limits.js';
import { isJobId } from './live-messages.js';

const STREAM_PAGE = 100;
const NO_CONTENT = 204;

const shown = ({ number, time, type, step, data }: JobEvent): JobEventDto => ({ number, time, type, step, data });

/** An event in the format of Server-Sent Events (WHATWG HTML, section 9.2). */
export const toServerSent = (event: JobEvent): string =>
  `id: ${event.number}\nevent: ${event.type}\ndata: ${JSON.stringify(shown(event))}\n\n`;

/** Who follows a stream. */
interface Reader {
  response: Response;
  user: Caller | undefined;
}

/** The events of one job, as pages and as a stream. */
@Injectable()
export class JobEventsService {
  readonly #streams = new Set<AbortController>();

  constructor(
    private readonly hub: EventHub,
    private readonly clock: Clock,
    private readonly limits: LiveLimits,
    private readonly credentials: CredentialWatch,
  ) {}

  /** Streams that are open now. */
  get open(): number {
    return this.#streams.size;
  }

  close(): void {
    for (const stream of this.#streams) stream.abort();
  }

  /** What the request asks for by its Accept header: one page, or the stream of Server-Sent Events. */
  async answer(
    jobId: string,
    query: JobEventsQuery,
    request: AuthenticatedRequest,
    response: Response,
  ): Promise<JobEventPage | StreamableFile | undefined> {
    if (!isJobId(jobId) || !(await this.hub.jobExists(jobId)))
      throw new AppError('not_found', `Job not found: ${jobId}`);
    if (request.accepts(['json', 'text/event-stream']) !== 'text/event-stream') return this.#page(jobId, query);
    return this.#stream(jobId, lastSeen(request.headers['last-event-id']) ?? query.after, {
      response,
      user: request.user,
    });
  }

  async #page(jobId: string, { after, limit }: JobEventsQuery): Promise<JobEventPage> {
    const found = await this.hub.storedJobEvents(jobId, after, limit + 1);
    const events = found.slice(0, limit).map(shown);
    return { events, next_after: found.length > limit ? (events.at(-1)?.number ?? null) : null };
  }

  async #stream(jobId: string, after: number, { response, user }: Reader): Promise<StreamableFile | undefined> {
    if (await this.#isOver(jobId, after)) {
      // The only answer after which a browser does not ask again.
      response.status(NO_CONTENT);
      return undefined;
    }
    if (this.open >= this.limits.sockets) throw new AppError('unavailable', 'Too many open streams; try again later');
    return new StreamableFile(
      Readable.from(this.#lines(jobId, after, this.#open({ response, user })), { highWaterMark: 1 }),
      {
        type: 'text/event-stream; charset=utf-8',
      },
    );
  }

  async #isOver(jobId: string, after: number): Promise<boolean> {
    if ((await this.hub.storedJobEvents(jobId, after, 1)).length > 0) return false;
    const [job] = (await this.hub.snapshots(jobId)).jobs;
    return job !== undefined && isFinal(job.status);
  }

  /** The signal ends when the connection does, the application, or the credentials. */
  #open({ response, user }: Reader): AbortSignal {
    const stream = new AbortController();
    this.#streams.add(stream);
    const off = user ? this.credentials.watch(user, () => stream.abort()) : () => undefined;
    response.once('close', () => {
      off();
      this.#streams.delete(stream);
      stream.abort();
    });
    return stream.signal;
  }

  /** Reads no further than its reader has taken. */
  async *#lines(jobId: string, start: number, closed: AbortSignal): AsyncGenerator<string> {
    let news = new AbortController();
    const off = this.hub.onJob(jobId, () => news.abort());
    closed.addEventListener('abort', () => news.abort());
    try {
      yield ': the events of a job follow\n\n';
      for (let after = start, isOver = false; !closed.aborted;) {
        news = new AbortController();
        const page = await this.hub.jobEvents(jobId, after, STREAM_PAGE);
        for (const event of page) yield toServerSent(event);
        const last = page.at(-1);
        if (!last && isOver) return;
        if (!last && (await this.#isQuiet(news.signal))) yield ': still here\n\n';
        after = last?.number ?? after;
        isOver = last ? isFinal(last.data.job.status) : isOver;
      }
    } finally {
      off();
    }
  }

  /** True where no news came until a heartbeat is due. */
  async #isQuiet(news: AbortSignal): Promise<boolean> {
    await this.clock.sleep(this.limits.heartbeatMs, news);
    return !news.aborted;
  }
}

/** @throws AppError `invalid` for an id that none of our events has */
function lastSeen(header: string | string[] | undefined): number | undefined {
  if (header === undefined || header === '') return undefined;
  const number = Number(header);
  if (/^\d+$/.test(String(header)) && Number.isSafeInteger(number)) return number;
  throw new AppError('invalid', `Last-Event-ID: "${String(header).slice(0, 40)}" is not the number of an event`);
}
