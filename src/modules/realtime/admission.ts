import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { Clock } from '../../kernel/clock.js';
import { AppError, messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import type { Principal } from '../security/principal.port.js';
import { RequestLimit } from '../limits/request-limit.port.js';
import { LiveLimits } from './live-limits.js';
import { originAllowed } from '../../kernel/origin.js';
import { SocketGate, SocketRefused } from './socket-gate.port.js';

/** A connection that is not let in, as the HTTP answer that says so. */
export class Refusal extends Error {
  constructor(
    readonly status: 401 | 403 | 404 | 429 | 503,
    detail: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
  }
}

/** Everything that is asked before a socket opens: where the page comes from, and who it is. */
@Injectable()
export class Admission {
  constructor(
    private readonly settings: Settings,
    private readonly gate: SocketGate,
    private readonly requests: RequestLimit,
    private readonly limits: LiveLimits,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  originAllowed(origin: string | undefined): boolean {
    return originAllowed(origin, this.settings.http.corsOrigins);
  }

  /** @throws Refusal */
  checkOrigin({ headers }: IncomingMessage): void {
    if (this.originAllowed(headers.origin) || this.#isOwnPage(headers)) return;
    throw new Refusal(403, `The origin ${headers.origin} may not open sockets; add it to CLARA_CORS_ORIGINS`);
  }

  /** A page of this very server. Debug mode asks for no token, so there a name that was pointed here would get in. */
  #isOwnPage({ origin = '', host }: IncomingHttpHeaders): boolean {
    if (this.settings.security.mode === 'debug' || !URL.canParse(origin)) return false;
    return new URL(origin).host === host;
  }

  /** @throws Refusal */
  async admit(request: IncomingMessage): Promise<Principal> {
    this.admitUnknown(request);
    return this.#inTime((signal) => this.gate.check(request, signal));
  }

  /** For a client that says later who it is: where its page comes from, and how often its address asks. @throws Refusal */
  admitUnknown(request: IncomingMessage): void {
    this.checkOrigin(request);
    try {
      this.requests.count(request);
      this.requests.check(request);
    } catch (error) {
      throw this.#refusal(error);
    }
  }

  /** For a token that came after the handshake. @throws Refusal */
  async admitToken(request: IncomingMessage, token: string): Promise<Principal> {
    return this.#inTime((signal) => this.gate.checkToken(request, token, signal));
  }

  comesWithCredentials(request: IncomingMessage): boolean {
    return this.gate.comesWithCredentials(request);
  }

  async #inTime(check: (signal: AbortSignal) => Promise<Principal>): Promise<Principal> {
    const deadline = new AbortController();
    try {
      return await Promise.race([check(deadline.signal), this.#expire(deadline.signal)]);
    } catch (error) {
      throw this.#refusal(error);
    } finally {
      deadline.abort();
    }
  }

  async #expire(done: AbortSignal): Promise<never> {
    await this.clock.sleep(this.limits.authenticationMs, done);
    throw new Refusal(503, `The authentication took longer than ${this.limits.authenticationMs / 1000} s; try again`);
  }

  #refusal(error: unknown): Refusal {
    if (error instanceof Refusal) return error;
    if (error instanceof SocketRefused) return new Refusal(error.status, error.message, error.headers);
    if (error instanceof AppError && error.code === 'rate_limited')
      return new Refusal(429, error.message, error.headers);
    this.log.error('the authentication of a socket failed', { error: messageOf(error) });
    return new Refusal(503, 'Authentication service unavailable; try again');
  }
}
