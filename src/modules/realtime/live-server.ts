import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { BroadcastGateway } from './broadcast.gateway.js';
import { EventHub } from './event-hub.js';
import { JobEventsService } from './job-events.service.js';
import { LiveLimits } from './live-limits.js';
import { LiveStats } from './live-stats.port.js';
import { PlainSocketGateway } from './plain-socket.gateway.js';
import { SOCKET_IO_PATH, SocketIoGateway } from './socket-io.gateway.js';
import { UpgradeRouter } from './upgrade-router.js';

/** The live updates on the HTTP servers of the application. */
@Injectable()
export class LiveServer extends LiveStats implements OnModuleDestroy {
  #closed: Promise<void> | undefined;

  constructor(
    private readonly hub: EventHub,
    private readonly router: UpgradeRouter,
    private readonly plain: PlainSocketGateway,
    private readonly socketIo: SocketIoGateway,
    private readonly broadcasts: BroadcastGateway,
    private readonly streams: JobEventsService,
    private readonly limits: LiveLimits,
  ) {
    super();
    router.register('/ws/training', plain);
    router.register('/api/training/ws', plain);
    router.register(SOCKET_IO_PATH, socketIo);
  }

  /** Serves sockets on these servers; their own request listeners must be there already. */
  attach(servers: readonly Server[]): void {
    for (const server of servers) {
      this.router.attach(server);
      this.#interceptPolling(server);
    }
  }

  openSockets(): Record<'websocket' | 'socketio' | 'sse', number> {
    return {
      websocket: this.plain.clients + this.broadcasts.clients,
      socketio: this.socketIo.clients,
      sse: this.streams.open,
    };
  }

  framesSent(): number {
    return this.hub.framesSent;
  }

  clientsBehind(): number {
    return this.hub.listenersBehind;
  }

  /** Tells all clients that the server goes away, and is done within a second. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async onModuleDestroy(): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.streams.close();
    this.plain.close();
    this.broadcasts.close();
    this.socketIo.close();
    await this.router.close(this.limits.closeMs);
  }

  /** Before Express, which would read the bodies that belong to the engine. */
  #interceptPolling(server: Server): void {
    const listeners = server.listeners('request');
    server.removeAllListeners('request');
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      if (this.socketIo.serves(request)) void this.socketIo.poll(request, response);
      else for (const listener of listeners) Reflect.apply(listener, server, [request, response]);
    });
  }
}
