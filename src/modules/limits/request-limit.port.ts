import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { Clock } from '../../kernel/clock.js';
import { ClientAddress } from './client-address.port.js';
import { limitHeaders, MinuteCounts, tooMany } from './minute-counts.js';

/** Counts the requests of each address, those that open a socket too. */
@Injectable()
export class RequestLimit {
  readonly #counts: MinuteCounts;

  constructor(
    settings: Settings,
    clock: Clock,
    private readonly addresses: ClientAddress,
  ) {
    this.#counts = new MinuteCounts(clock, settings.limits.requestsPerMinute);
  }

  /** Counts one, and answers the headers that tell of it. */
  count(request: IncomingMessage): Record<string, string> {
    if (this.#counts.limit === 0) return {};
    const from = this.addresses.networkOf(request);
    this.#counts.add(from);
    return limitHeaders(this.#counts.usage(from));
  }

  /** @throws AppError `rate_limited` where more were counted than are allowed */
  check(request: IncomingMessage): void {
    if (this.#counts.limit === 0) return;
    const from = this.addresses.networkOf(request);
    const usage = this.#counts.usage(from);
    if (usage.used > usage.limit)
      throw tooMany(`More than ${usage.limit} requests in a minute from the address ${from}`, usage);
  }
}
