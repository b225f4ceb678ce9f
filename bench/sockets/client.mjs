import { io } from 'socket.io-client';
import { WebSocket } from 'ws';

/** What one client has seen: every update of the stream must come once and in order. */
export class Seen {
  /** Stream number of the newest update; undefined before the first. */
  last;
  updates = 0;
  missing = 0;
  repeated = 0;
  /** Updates written before this moment are replayed ones, whose age is not the delivery's. */
  liveSince = 0;

  /** @param {(ms: number) => void} latency told of each progress update that came live */
  constructor(latency) {
    this.latency = latency;
  }

  take(update) {
    const now = performance.timeOrigin + performance.now();
    if (this.last !== undefined && update.stream <= this.last) {
      this.repeated += 1;
      return;
    }
    if (this.last !== undefined) this.missing += update.stream - this.last - 1;
    this.last = update.stream;
    this.updates += 1;
    const written = Date.parse(update.timestamp);
    if (update.event === 'progress' && written > this.liveSince) this.latency(now - written);
  }

  backAgain() {
    this.liveSince = Date.now();
  }
}

/** A plain WebSocket, with the last number it saw in the address. */
export class PlainClient {
  constructor(url, seen) {
    this.address = `${url.replace('http', 'ws')}/ws/training`;
    this.seen = seen;
  }

  open() {
    return new Promise((resolve, reject) => {
      const after = this.seen.last === undefined ? '' : `?after=${this.seen.last}`;
      this.socket = new WebSocket(this.address + after, { perMessageDeflate: false });
      this.socket.once('error', reject);
      this.socket.on('message', (data) => {
        const message = JSON.parse(data.toString());
        if (message.type === 'job_update') this.seen.take(message);
        if (message.type === 'gap') reject(new Error('a gap'));
        if (message.type !== 'connection') return;
        this.seen.last ??= message.last_event;
        this.seen.backAgain();
        resolve();
      });
    });
  }

  drop() {
    this.socket.removeAllListeners('message');
    this.socket.terminate();
  }
}

/** Socket.IO over its WebSocket transport. */
export class SocketIoClient {
  constructor(url, seen) {
    this.url = url;
    this.seen = seen;
  }

  open() {
    return new Promise((resolve, reject) => {
      this.socket = io(this.url, { transports: ['websocket'], forceNew: true, reconnection: false });
      this.socket.on('connect_error', reject);
      this.socket.on('job_update', (update) => this.seen.take(update));
      this.socket.once('connection', () => {
        const after = this.seen.last;
        this.socket.emit('subscribe', after === undefined ? {} : { after }, (answer) => {
          if (!answer.ok) return reject(new Error(answer.error));
          this.seen.last ??= answer.stream;
          this.seen.backAgain();
          resolve();
        });
      });
    });
  }

  drop() {
    this.socket.removeAllListeners();
    // The transport is cut, as a network does it: no word of Socket.IO is said.
    /** @type {any} */ (this.socket.io.engine.transport).ws.terminate?.();
    this.socket.disconnect();
  }
}
