import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Histogram } from '../figures.mjs';

const DEADLINE_MS = 180_000;

/** One process of clients, asked by messages. */
class ClientProcess {
  #waiting = new Map();
  #next = 1;

  constructor(what) {
    this.child = fork(fileURLToPath(new URL('process.mjs', import.meta.url)), [JSON.stringify(what)]);
    this.child.on('message', (/** @type {any} */ { id, answer, error }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) reject(new Error(`the ${what.kind} clients: ${error}`));
      else resolve(answer);
    });
  }

  ask(name, options = {}) {
    const id = this.#next++;
    this.child.send({ id, name, options });
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      setTimeout(() => reject(new Error(`${name} took longer than ${DEADLINE_MS / 1000} s`)), DEADLINE_MS).unref();
    });
  }
}

/** Half the clients speak Socket.IO, half plain WebSocket; each half has a process of its own. */
export class Fleet {
  constructor(url, count) {
    this.processes = ['socket.io', 'plain'].map((kind) => new ClientProcess({ kind, url, count: count / 2 }));
  }

  get pids() {
    return this.processes.map(({ child }) => child.pid);
  }

  all(name, options) {
    return Promise.all(this.processes.map((process) => process.ask(name, options)));
  }

  async report() {
    const parts = await this.all('report');
    const latencies = new Histogram();
    for (const part of parts) latencies.merge(part.latencies);
    const sum = (key) => parts.reduce((total, part) => total + part[key], 0);
    return {
      latencies,
      newest: parts.flatMap(({ newest }) => newest),
      updates: sum('updates'),
      missing: sum('missing'),
      repeated: sum('repeated'),
    };
  }

  close() {
    for (const { child } of this.processes) child.kill();
  }
}
