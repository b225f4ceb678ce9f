import { setTimeout as sleep } from 'node:timers/promises';
import { asJson, callApi } from './api-call.mjs';

const RECONNECT_MS = 500;
const FINAL = ['completed', 'failed', 'cancelled'];

/**
 * @typedef {{job_id: string, trainer_type: string, config_path: string, status: string, adapter_path: string | null, error_message: string | null, base_model: string,
 *   waiting_for: string | null, metrics: Record<string, any> | null, tags: string[]}} Job
 * @typedef {{type: string, job_id: string, status: string, progress_percent: number, step: number, total_steps: number,
 *   seconds_left: number | null, metrics: Record<string, any> | null, event: string, number: number}} JobUpdate
 */

/** The training API, called as any client does: HTTP, and the plain WebSocket for updates. */
export class TrainingClient {
  /** @param {string} address host and port */
  constructor(address) {
    this.address = address;
  }

  async isUp() {
    return this.#get('/health').then(
      () => true,
      () => false,
    );
  }

  /** @returns {Promise<{ready: boolean, reason?: string}>} whether jobs can start */
  async trainer() {
    const { details } = await this.#get('/readyz');
    return details.trainer;
  }

  /**
   * @param {object} request
   * @returns {Promise<Job>}
   */
  async post(request) {
    const reply = await callApi(this.address, '/api/training/jobs', asJson(request));
    return reply.data;
  }

  /**
   * @param {string} jobId
   * @returns {Promise<Job>}
   */
  async job(jobId) {
    return (await this.#get(`/api/training/jobs/${jobId}`)).data;
  }

  /**
   * @param {string} status
   * @returns {Promise<Job[]>}
   */
  async jobs(status) {
    return (await this.#get(`/api/training/jobs/list?status=${status}&limit=100`)).jobs;
  }

  /**
   * @param {string} jobId
   * @param {number} number of the event in the job
   * @returns {Promise<{type: string, data: Record<string, any>} | undefined>}
   */
  async event(jobId, number) {
    return (await this.#get(`/api/training/jobs/${jobId}/events?after=${number - 1}&limit=1`)).events[0];
  }

  /**
   * Calls `onUpdate` with each update of a job, until it has ended or `signal` aborts; connects again where the socket drops.
   * @param {string} jobId
   * @param {(update: JobUpdate) => void} onUpdate
   * @param {AbortSignal} signal
   */
  async follow(jobId, onUpdate, signal) {
    const { WebSocket } = await import('ws');
    while (!signal.aborted) {
      const socket = new WebSocket(`ws://${this.address}/ws/training?job=${jobId}`);
      const ended = await this.#readUntilClosed(socket, onUpdate, signal);
      // An update may have come before the socket stood: the job itself tells.
      if (ended || FINAL.includes((await this.job(jobId).catch(() => ({ status: '' }))).status)) return;
      await sleep(RECONNECT_MS);
    }
  }

  /**
   * @param {import('ws').WebSocket} socket
   * @param {(update: JobUpdate) => void} onUpdate
   * @param {AbortSignal} signal
   * @returns {Promise<boolean>} whether the job has ended
   */
  #readUntilClosed(socket, onUpdate, signal) {
    return new Promise((resolve) => {
      let ended = false;
      const close = () => socket.terminate();
      signal.addEventListener('abort', close, { once: true });
      socket.on('message', (data) => {
        const frame = JSON.parse(String(data));
        if (frame.type !== 'job_update') return;
        onUpdate(frame);
        ended = FINAL.includes(frame.status);
        if (ended) socket.close();
      });
      socket.on('error', () => undefined);
      socket.on('close', () => {
        signal.removeEventListener('abort', close);
        resolve(ended);
      });
    });
  }

  /** @param {string} path */
  #get(path) {
    return callApi(this.address, path);
  }
}
