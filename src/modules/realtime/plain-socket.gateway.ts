import { Injectable } from '@nestjs/common';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { Clock } from '../../kernel/clock.js';
import { AppError, messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import { BEARER_PROTOCOL } from '../security/authenticator.port.js';
import { CredentialWatch } from '../security/credential-watch.port.js';
import type { Principal } from '../security/principal.port.js';
import { EventHub } from './event-hub.js';
import { Heartbeat } from './heartbeat.js';
import { connectionFrame, errorFrame, pongFrame, subscribedFrame, unsubscribedFrame } from './live-frame.js';
import { LiveLimits } from './live-limits.js';
import { parseMessage, parseQuery, type Subscription } from './live-messages.js';
import { describeProblem } from './live-problem.js';
import { LiveSession } from './live-session.js';
import { CREDENTIALS_ENDED, GOING_AWAY, PlainOutlet } from './plain-outlet.js';
import type { Upgrade, UpgradeHandler } from './upgrade-router.js';

/** Beside the token it sends as a subprotocol, a browser must get one of those it offered. */
export function chosenProtocol(offered: Set<string>): string | false {
  const [first] = offered;
  return offered.has(BEARER_PROTOCOL) ? BEARER_PROTOCOL : (first ?? false);
}

/** The live updates over a plain WebSocket; every message in both directions is JSON, but for the text `ping`. */
@Injectable()
export class PlainSocketGateway implements UpgradeHandler {
  readonly #server: WebSocketServer;
  readonly #clients = new Set<WebSocket>();
  readonly #heartbeat: Heartbeat;

  constructor(
    private readonly hub: EventHub,
    private readonly clock: Clock,
    private readonly limits: LiveLimits,
    private readonly log: Log,
    private readonly credentials: CredentialWatch,
  ) {
    const { payloadBytes: maxPayload, pingMs, missedPings } = limits;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload,
      handleProtocols: chosenProtocol,
    });
    this.#heartbeat = new Heartbeat(pingMs, missedPings);
  }

  get clients(): number {
    return this.#clients.size;
  }

  open({ request, query, socket, head, principal }: Upgrade): void {
    this.#server.handleUpgrade(request, socket, head, (client) => {
      const session = new LiveSession(this.hub, this.clock, this.limits, new PlainOutlet(client, socket));
      const greeted = this.#greet(session);
      this.#listen(client, session, greeted);
      if (principal) this.#endWith(principal, client, session);
      void greeted.then((newest) => this.#guard(session, () => session.subscribe(parseQuery(query), newest)));
    });
  }

  /** Asks all clients to go. */
  close(): void {
    this.#heartbeat.stop();
    for (const client of this.#clients) client.close(GOING_AWAY, 'server going away');
  }

  #listen(client: WebSocket, session: LiveSession, greeted: Promise<unknown>): void {
    this.#clients.add(client);
    this.#heartbeat.watch(client);
    client.on('message', (data, isBinary) => {
      if (!session.hears()) return;
      void greeted.then(() => this.#guard(session, () => this.#obey(session, data, isBinary)));
    });
    client.on('error', (error) => this.log.debug('a WebSocket broke', { error: messageOf(error) }));
    client.once('close', () => {
      this.#clients.delete(client);
      session.end();
    });
  }

  /** The connection ends when that ends what it was opened with. */
  #endWith(principal: Principal, client: WebSocket, session: LiveSession): void {
    const off = this.credentials.watch(principal, (reason) => {
      session.write(errorFrame(reason, this.clock.now()));
      client.close(CREDENTIALS_ENDED, reason);
    });
    client.once('close', off);
  }

  /** The first frame of every connection; answers the stream number that it names. */
  async #greet(session: LiveSession): Promise<number> {
    await this.hub.ready;
    const newest = this.hub.tail;
    session.write(connectionFrame(newest, this.clock.now()));
    return newest;
  }

  async #obey(session: LiveSession, data: RawData, isBinary: boolean): Promise<void> {
    const message = parseMessage(this.#textOf(data, isBinary));
    switch (message.type) {
      case 'ping':
        return session.write(pongFrame(this.clock.now()));
      case 'subscribe':
        return this.#subscribe(session, message.subscription);
      case 'unsubscribe':
        await session.unsubscribe(message.jobId);
        return session.write(unsubscribedFrame(message.jobId ?? null, this.clock.now()));
    }
  }

  async #subscribe(session: LiveSession, wanted: Subscription): Promise<void> {
    const stream = await session.subscribe(wanted);
    session.write(subscribedFrame(wanted.jobId ?? null, stream, this.clock.now()));
  }

  /** @throws AppError `invalid` or `too_large` */
  #textOf(data: RawData, isBinary: boolean): string {
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer);
    if (isBinary) throw new AppError('invalid', `A binary message of ${bytes.length} bytes; send text`);
    if (bytes.length <= this.limits.messageBytes) return bytes.toString();
    throw new AppError('too_large', `A message of ${bytes.length} bytes; the most is ${this.limits.messageBytes}`);
  }

  /** Tells the client what was wrong; the connection stays. */
  async #guard(session: LiveSession, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      session.write(errorFrame(describeProblem(error, this.log), this.clock.now()));
    }
  }
}
