import { Injectable } from '@nestjs/common';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { Clock } from '../../kernel/clock.js';
import { messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import type { Permission } from '../security/access.port.js';
import { CredentialWatch } from '../security/credential-watch.port.js';
import type { Principal } from '../security/principal.port.js';
import { type Broadcast, Broadcasts } from './broadcasts.port.js';
import { Heartbeat } from './heartbeat.js';
import { errorFrame, type LiveFrame, pongFrame, welcomeFrame, broadcastFrame } from './live-frame.js';
import { LiveLimits } from './live-limits.js';
import { CREDENTIALS_ENDED, GOING_AWAY } from './plain-outlet.js';
import { chosenProtocol } from './plain-socket.gateway.js';
import { SocketIoGateway } from './socket-io.gateway.js';
import { type Upgrade, UpgradeRouter } from './upgrade-router.js';

/** WebSocket close code: the caller may not hear this (RFC 6455, policy violation). */
const NOT_ALLOWED = 1008;

/** Sends the news of a topic to everybody who listens; a client that does not take them is cut off, not waited for. */
@Injectable()
export class BroadcastGateway extends Broadcasts {
  readonly #server: WebSocketServer;
  readonly #heartbeat: Heartbeat;
  readonly #topics = new Map<string, { permission: Permission; clients: Map<WebSocket, Principal> }>();

  constructor(
    private readonly router: UpgradeRouter,
    private readonly socketIo: SocketIoGateway,
    private readonly clock: Clock,
    private readonly limits: LiveLimits,
    private readonly log: Log,
    private readonly credentials: CredentialWatch,
  ) {
    super();
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: limits.messageBytes,
      handleProtocols: chosenProtocol,
    });
    this.#heartbeat = new Heartbeat(limits.pingMs, limits.missedPings);
  }

  open(topic: string, paths: readonly string[], permission: Permission): void {
    this.#topics.set(topic, { permission, clients: new Map() });
    this.socketIo.addTopic(topic, permission);
    for (const path of paths) this.router.register(path, { open: (upgrade) => this.#accept(topic, upgrade) });
  }

  send(topic: string, body: Broadcast, mayHear: (listener: Principal) => boolean): void {
    const frame = broadcastFrame(body, this.clock.now());
    for (const [client, principal] of this.#clients(topic)) if (mayHear(principal)) this.#write(client, frame);
    this.socketIo.broadcast(topic, frame.body, mayHear);
  }

  listeners(topic: string): number {
    return this.#clients(topic).size + this.socketIo.watchers(topic);
  }

  get clients(): number {
    return [...this.#topics.values()].reduce((sum, { clients }) => sum + clients.size, 0);
  }

  close(): void {
    this.#heartbeat.stop();
    for (const { clients } of this.#topics.values())
      for (const client of clients.keys()) client.close(GOING_AWAY, 'server going away');
  }

  #clients(topic: string): Map<WebSocket, Principal> {
    return this.#topics.get(topic)?.clients ?? new Map<WebSocket, Principal>();
  }

  #accept(name: string, { request, socket, head, principal }: Upgrade): void {
    const topic = this.#topics.get(name);
    if (!topic || !principal) return void socket.destroy();
    this.#server.handleUpgrade(request, socket, head, (client) => {
      client.on('error', (error) => this.log.debug('a WebSocket broke', { error: messageOf(error) }));
      if (!principal.permissions.has(topic.permission)) return this.#refuse(client, topic.permission);
      topic.clients.set(client, principal);
      this.#heartbeat.watch(client);
      const off = this.credentials.watch(principal, (reason) => {
        this.#write(client, errorFrame(reason, this.clock.now()));
        client.close(CREDENTIALS_ENDED, reason);
      });
      client.once('close', () => {
        off();
        topic.clients.delete(client);
      });
      client.on('message', (data) => this.#hear(client, data));
      this.#write(client, welcomeFrame(name, this.clock.now()));
    });
  }

  #refuse(client: WebSocket, permission: Permission): void {
    const message = `Insufficient permissions: ${permission} is needed`;
    client.send(errorFrame(message, this.clock.now()).text, { binary: false });
    client.close(NOT_ALLOWED, message);
  }

  /** `ping`, as text or as JSON, is all that a client has to say. */
  #hear(client: WebSocket, data: RawData): void {
    const text = Buffer.isBuffer(data) ? data.toString() : '';
    const isPing = text === 'ping' || /^\s*\{\s*"type"\s*:\s*"ping"/.test(text);
    const answer = isPing ? pongFrame : (now: number) => errorFrame('Only ping is understood here', now);
    this.#write(client, answer(this.clock.now()));
  }

  #write(client: WebSocket, frame: LiveFrame): void {
    if (client.bufferedAmount > this.limits.floodBytes) return client.terminate();
    client.send(frame.text, { binary: false });
  }
}
