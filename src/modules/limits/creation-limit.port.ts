import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Response } from 'express';
import { tap, type Observable } from 'rxjs';
import { Settings } from '../../config/settings.js';
import { Clock } from '../../kernel/clock.js';
import type { AppError } from '../../kernel/errors.js';
import type { AuthenticatedRequest } from '../security/principal.port.js';
import { limitHeaders, MinuteCounts, tooMany } from './minute-counts.js';

/** Jobs that each subject may create in a minute: what was accepted counts, not what was asked. */
@Injectable()
export class CreationLimit {
  readonly #counts: MinuteCounts;

  constructor(settings: Settings, clock: Clock) {
    this.#counts = new MinuteCounts(clock, settings.limits.jobsPerMinute);
  }

  /** Takes a place before the job is written, so that concurrent requests share what is left; undefined: none is left. */
  take(subject: string): { giveBack: () => void } | undefined {
    if (this.#counts.isUsedUp(subject)) return undefined;
    return { giveBack: this.#counts.add(subject) };
  }

  refusal(subject: string): AppError {
    const usage = this.#counts.usage(subject);
    return tooMany(`${usage.limit} training jobs were created within a minute, more are not accepted`, usage);
  }

  /** Empty without a limit. */
  headers(subject: string): Record<string, string> {
    return this.#counts.limit === 0 ? {} : limitHeaders(this.#counts.usage(subject));
  }
}

/** Tells, with each answer of the route, what is left of the limit. */
@Injectable()
export class CreationLimitHeaders implements NestInterceptor {
  constructor(private readonly limit: CreationLimit) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const subject = http.getRequest<AuthenticatedRequest>().user?.subject ?? '';
    const show = (): void => void http.getResponse<Response>().set(this.limit.headers(subject));
    return next.handle().pipe(tap({ next: show, error: show }));
  }
}
