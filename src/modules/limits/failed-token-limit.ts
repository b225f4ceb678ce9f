import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { Clock } from '../../kernel/clock.js';
import { FailedAttempts } from '../security/failed-attempts.port.js';
import { MinuteCounts } from './minute-counts.js';

@Injectable()
export class FailedTokenLimit extends FailedAttempts {
  readonly #counts: MinuteCounts;

  constructor(settings: Settings, clock: Clock) {
    super();
    this.#counts = new MinuteCounts(clock, settings.limits.failedTokensPerMinute);
  }

  blocked(address: string): number | null {
    return this.#counts.isUsedUp(address) ? this.#counts.usage(address).seconds : null;
  }

  failed(address: string): void {
    if (this.#counts.limit > 0) this.#counts.add(address);
  }
}
