import type { Clock } from '../../kernel/clock.js';
import { AppError } from '../../kernel/errors.js';
import type { EventHub } from './event-hub.js';
import type { Listener, Outlet } from './listener.js';
import { gapFrame, type LiveFrame, snapshotFrame } from './live-frame.js';
import type { LiveLimits } from './live-limits.js';
import type { Subscription } from './live-messages.js';
import { Turns } from './turns.js';

const WAITING_REQUESTS = 16;
const MINUTE_MS = 60_000;

/** The subscriptions of one client, whatever it is connected by. */
export class LiveSession {
  /** By job id; undefined stands for all jobs, and then there is no other. */
  readonly #listeners = new Map<string | undefined, Listener>();
  readonly #turns = new Turns(1, WAITING_REQUESTS);
  #ended = false;
  #minute = { endsAt: 0, messages: 0 };

  constructor(
    private readonly hub: EventHub,
    private readonly clock: Clock,
    private readonly limits: LiveLimits,
    private readonly outlet: Outlet,
  ) {}

  /** The jobs it listens to; undefined stands for all. */
  get jobs(): (string | undefined)[] {
    return [...this.#listeners.keys()];
  }

  /** Counts a message of the client. False where it says too much; then it is closed. */
  hears(): boolean {
    const now = this.clock.now();
    if (now >= this.#minute.endsAt) this.#minute = { endsAt: now + MINUTE_MS, messages: 0 };
    this.#minute.messages += 1;
    if (this.#minute.messages <= this.limits.messagesPerMinute) return true;
    if (this.#minute.messages === this.limits.messagesPerMinute + 1) this.outlet.close('too many messages');
    return false;
  }

  /**
   * Starts a subscription. One for all jobs replaces those for single ones, and the other way round, so that no update
   * comes twice; without `after` it goes on where the one that it replaces stood.
   * @param now the stream number that "from now on" means; by default the newest one
   * @returns the stream number behind which the updates follow
   * @throws AppError `not_found`, `conflict` or `rate_limited`
   */
  async subscribe(wanted: Subscription, now?: number): Promise<number> {
    return this.#turns.run(() => this.#subscribe(wanted, now));
  }

  /** Ends the subscription to one job; undefined ends all there are. */
  async unsubscribe(jobId: string | undefined): Promise<void> {
    await this.#turns.run(() => Promise.resolve(this.#end((key) => jobId === undefined || key === jobId)));
  }

  write(frame: LiveFrame): void {
    if (this.#ended) return;
    if (this.outlet.backlog() > this.limits.floodBytes) this.outlet.close('answers are not taken');
    else this.hub.write(this.outlet, [frame]);
  }

  end(): void {
    this.#ended = true;
    this.#end(() => true);
  }

  async #subscribe({ jobId, after }: Subscription, now?: number): Promise<number> {
    await this.hub.ready;
    const newest = now ?? this.hub.tail;
    await this.#check(jobId);
    const cursor = after === undefined ? (this.#takeOver(jobId) ?? newest) : await this.#replayFrom(after, jobId);
    if (!this.#ended) this.#listeners.set(jobId, this.hub.listen(this.outlet, jobId, cursor));
    return cursor;
  }

  /** @throws AppError `not_found` or `conflict` */
  async #check(jobId: string | undefined): Promise<void> {
    if (jobId === undefined) return;
    if (this.#listeners.size >= this.limits.subscriptions)
      throw new AppError(
        'conflict',
        `More than ${this.limits.subscriptions} subscriptions; subscribe to all jobs instead`,
      );
    if (!(await this.hub.jobExists(jobId))) throw new AppError('not_found', `Job not found: ${jobId}`);
  }

  async #replayFrom(after: number, jobId: string | undefined): Promise<number> {
    const { cursor, gap } = await this.hub.startAfter(after);
    const snapshot = gap && (await this.hub.snapshots(jobId));
    this.#takeOver(jobId);
    if (gap && snapshot) {
      this.write(gapFrame(gap.after, gap.oldest, this.clock.now()));
      this.write(snapshotFrame(snapshot.stream, snapshot.jobs, this.clock.now()));
    }
    return cursor;
  }

  /** Ends what the new subscription replaces, and tells where that stood. */
  #takeOver(jobId: string | undefined): number | undefined {
    const replaced = this.#end((key) => jobId === undefined || key === undefined || key === jobId);
    return replaced.length === 1 ? replaced[0]?.cursor : undefined;
  }

  #end(which: (jobId: string | undefined) => boolean): Listener[] {
    const ended = [...this.#listeners].filter(([jobId]) => which(jobId));
    for (const [jobId, listener] of ended) {
      this.hub.end(listener);
      this.#listeners.delete(jobId);
    }
    return ended.map(([, listener]) => listener);
  }
}
