import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import { Server, type Socket } from 'socket.io';
import { Clock } from '../../kernel/clock.js';
import { AppError, messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import type { Permission } from '../security/access.port.js';
import { CredentialWatch } from '../security/credential-watch.port.js';
import type { Principal } from '../security/principal.port.js';
import { Admission, Refusal } from './admission.js';
import { EventHub } from './event-hub.js';
import { connectionFrame, errorFrame, type FrameBody, pongFrame } from './live-frame.js';
import { LiveLimits } from './live-limits.js';
import { parseSubscription } from './live-messages.js';
import { describeProblem } from './live-problem.js';
import { LiveSession } from './live-session.js';
import { refuseRequest } from './refusal-answer.js';
import { SocketIoOutlet } from './socket-io-outlet.js';
import { addressOf, type Upgrade, type UpgradeHandler } from './upgrade-router.js';

export const SOCKET_IO_PATH = '/socket.io/';

type Answer = { ok: true; stream: number } | { ok: true } | { ok: true; topic: string } | { ok: false; error: string };

const EVENTS = ['ping', 'subscribe', 'unsubscribe', 'watch', 'unwatch'];

type Ack = (answer: Answer) => void;

const isAck = (sent: unknown): sent is Ack => typeof sent === 'function';

const topicRoom = (topic: string): string => `topic:${topic}`;

export const roomOf = (jobId: string | undefined): string => (jobId === undefined ? 'all' : `job:${jobId}`);

/** The live updates over Socket.IO, namespace "/", by WebSocket or by long polling. */
@Injectable()
export class SocketIoGateway implements UpgradeHandler {
  /** Never listens: one engine serves the ports of all servers, which hand over what is meant for it. */
  readonly #inner = createServer();
  /** Who was let in with the handshake; others say it in the `auth` of their first packet. */
  readonly #principals = new WeakMap<IncomingMessage, Principal>();
  readonly #topics = new Map<string, Permission>();
  readonly asksLater = true;
  readonly #io: Server;

  constructor(
    private readonly hub: EventHub,
    private readonly clock: Clock,
    private readonly limits: LiveLimits,
    private readonly log: Log,
    private readonly admission: Admission,
    private readonly credentials: CredentialWatch,
  ) {
    this.#io = new Server(this.#inner, {
      path: SOCKET_IO_PATH,
      serveClient: false,
      destroyUpgrade: false,
      perMessageDeflate: false,
      httpCompression: false,
      maxHttpBufferSize: limits.messageBytes,
      connectTimeout: limits.authenticationMs,
      pingInterval: limits.pingMs,
      pingTimeout: limits.pingMs * limits.missedPings,
      cors: { origin: (origin, answer) => answer(null, admission.originAllowed(origin)), credentials: false },
    });
    this.#io.use((socket, next) => void this.#introduce(socket, next));
    this.#io.on('connection', (socket) => this.#welcome(socket));
  }

  get clients(): number {
    return this.#io.engine.clientsCount;
  }

  /** True for a request of a session that was let in before. */
  isAdmitted(query: URLSearchParams): boolean {
    return query.has('sid');
  }

  open({ request, socket, head, principal }: Upgrade): void {
    if (principal) this.#principals.set(request, principal);
    this.#inner.emit('upgrade', request, socket, head);
  }

  serves(request: IncomingMessage): boolean {
    return request.url?.startsWith(SOCKET_IO_PATH) ?? false;
  }

  /** A request of the long polling transport. */
  async poll(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (request.method !== 'OPTIONS') await this.#admit(request);
      this.#inner.emit('request', request, response);
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal(503, describeProblem(error, this.log));
      refuseRequest(response, refusal);
    }
  }

  /** Closes the transports without a word of Socket.IO: a client that is told to disconnect does not come back. */
  close(): void {
    this.#io.engine.close();
  }

  /** News of another module, which clients with the permission may watch. */
  addTopic(topic: string, permission: Permission): void {
    this.#topics.set(topic, permission);
  }

  watchers(topic: string): number {
    return this.#io.of('/').adapter.rooms.get(topicRoom(topic))?.size ?? 0;
  }

  broadcast(topic: string, body: FrameBody, mayHear: (listener: Principal) => boolean): void {
    for (const id of this.#io.of('/').adapter.rooms.get(topicRoom(topic)) ?? []) {
      const socket = this.#io.of('/').sockets.get(id);
      const { principal } = (socket?.data ?? {}) as { principal?: Principal };
      if (socket && principal && mayHear(principal)) socket.volatile.emit(`${topic}_${body.type}`, body);
    }
  }

  async #admit(request: IncomingMessage): Promise<void> {
    if (this.isAdmitted(addressOf(request).query)) return this.admission.checkOrigin(request);
    if (this.clients >= this.limits.sockets)
      throw new Refusal(503, `All ${this.limits.sockets} connections are taken; try again later`);
    if (this.admission.comesWithCredentials(request))
      this.#principals.set(request, await this.admission.admit(request));
    else this.admission.admitUnknown(request);
  }

  async #introduce(socket: Socket, next: (error?: Error) => void): Promise<void> {
    let refusal: Refusal | undefined;
    try {
      await this.#identify(socket);
    } catch (error) {
      refusal = error instanceof Refusal ? error : new Refusal(503, describeProblem(error, this.log));
    }
    next(refusal);
  }

  /** @throws Refusal */
  async #identify(socket: Socket): Promise<void> {
    const known = this.#principals.get(socket.request);
    const { token } = socket.handshake.auth as { token?: unknown };
    const sent = typeof token === 'string' ? token.replace(/^bearer /i, '') : '';
    const principal = known ?? (await this.admission.admitToken(socket.request, sent));
    Object.assign(socket.data, { principal });
  }

  /** The connection ends when that ends what it was opened with; a client that is told so does not come back by itself. */
  #endWithCredentials(socket: Socket): void {
    const { principal } = socket.data as { principal: Principal };
    const off = this.credentials.watch(principal, (message) => {
      socket.emit('error', { type: 'error', message });
      socket.disconnect(true);
    });
    socket.once('disconnect', off);
  }

  #welcome(socket: Socket): void {
    const session = new LiveSession(this.hub, this.clock, this.limits, new SocketIoOutlet(socket));
    const greeted = this.hub.ready.then(() => session.write(connectionFrame(this.hub.tail, this.clock.now())));
    this.#endWithCredentials(socket);
    socket.use((_event, next) => {
      if (session.hears()) next();
    });
    socket.on('ping', () => session.write(pongFrame(this.clock.now())));
    socket.on('subscribe', (...sent: unknown[]) => {
      void greeted.then(() => this.#answer(session, sent, (wanted) => this.#subscribe(socket, session, wanted)));
    });
    socket.on('unsubscribe', (...sent: unknown[]) => {
      void greeted.then(() => this.#answer(session, sent, (unwanted) => this.#unsubscribe(socket, session, unwanted)));
    });
    socket.on('watch', (...sent: unknown[]) => {
      void greeted.then(() => this.#answer(session, sent, (topic) => this.#watch(socket, topic)));
    });
    socket.on('unwatch', (...sent: unknown[]) => {
      void greeted.then(() => this.#answer(session, sent, (topic) => this.#unwatch(socket, topic)));
    });
    socket.onAny((event: string) => this.#refuseUnknown(session, event));
    socket.on('error', (error) => this.log.debug('a Socket.IO client sent nonsense', { error: messageOf(error) }));
    socket.once('disconnect', () => session.end());
  }

  async #subscribe(socket: Socket, session: LiveSession, wanted: unknown): Promise<Answer> {
    const stream = await session.subscribe(parseSubscription(wanted));
    await this.#settleRooms(socket, session);
    return { ok: true, stream };
  }

  async #unsubscribe(socket: Socket, session: LiveSession, unwanted: unknown): Promise<Answer> {
    await session.unsubscribe(parseSubscription(unwanted).jobId);
    await this.#settleRooms(socket, session);
    return { ok: true };
  }

  async #watch(socket: Socket, topic: unknown): Promise<Answer> {
    const { principal } = socket.data as { principal: Principal };
    const name = this.#topicOf(topic);
    const permission = this.#topics.get(name);
    if (!permission || !principal.permissions.has(permission))
      throw new AppError('forbidden', `Insufficient permissions: ${permission} is needed`);
    await socket.join(topicRoom(name));
    return { ok: true, topic: name };
  }

  async #unwatch(socket: Socket, topic: unknown): Promise<Answer> {
    const name = this.#topicOf(topic);
    await socket.leave(topicRoom(name));
    return { ok: true, topic: name };
  }

  #topicOf(sent: unknown): string {
    if (typeof sent === 'string' && this.#topics.has(sent)) return sent;
    const known = [...this.#topics.keys()].join(', ');
    throw new AppError('invalid', `topic: ${JSON.stringify(sent)?.slice(0, 60)} is not known; known are ${known}`);
  }

  /** Other modules reach the listeners of a job by its room. */
  async #settleRooms(socket: Socket, session: LiveSession): Promise<void> {
    const wanted = session.jobs.map(roomOf);
    const kept = [socket.id, ...wanted, ...[...this.#topics.keys()].map(topicRoom)];
    const left = [...socket.rooms].filter((room) => !kept.includes(room));
    for (const room of left) await socket.leave(room);
    await socket.join(wanted);
  }

  /** Answers with the acknowledgement, the last of what was sent; a client that wants none is told of a problem only. */
  async #answer(session: LiveSession, sent: unknown[], work: (wish: unknown) => Promise<Answer>): Promise<void> {
    const ack = sent.at(-1);
    const wish = isAck(sent[0]) ? undefined : sent[0];
    const failed = (error: unknown): Answer => ({ ok: false, error: describeProblem(error, this.log) });
    const answer = await work(wish).catch(failed);
    if (isAck(ack)) ack(answer);
    else if (!answer.ok) session.write(errorFrame(answer.error, this.clock.now()));
  }

  #refuseUnknown(session: LiveSession, event: string): void {
    if (EVENTS.includes(event)) return;
    const message = `event: "${event.slice(0, 60)}" is not known; known are ${EVENTS.join(', ')}`;
    session.write(errorFrame(message, this.clock.now()));
  }
}
