import { Injectable } from '@nestjs/common';
import { Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import { LiveStats } from '../realtime/live-stats.port.js';
import { TrainingStatus } from '../training/training-status.port.js';

/** Gauges of prom-client with the name of a counter, which promtool objects to; each has a twin by type of what is active. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** The Prometheus page; figures that the database knows are read when it is asked for. */
@Injectable()
export class MetricsService {
  constructor(
    readonly registry: Registry,
    status: TrainingStatus,
    live: LiveStats,
  ) {
    collectDefaultMetrics({ register: registry });
    for (const name of MISNAMED) registry.removeSingleMetric(name);
    addTrainingGauges([registry], status);
    addLiveGauges([registry], live);
  }

  page(): Promise<string> {
    return this.registry.metrics();
  }

  get contentType(): string {
    return this.registry.contentType;
  }
}

function addTrainingGauges(registers: Registry[], status: TrainingStatus): void {
  new Gauge({
    name: 'active_training_jobs',
    help: 'Jobs that are pending, queued or running.',
    registers,
    async collect() {
      this.set(await status.activeCount());
    },
  });
  new Gauge({
    name: 'training_queue_depth',
    help: 'Jobs that wait for a slot.',
    registers,
    async collect() {
      const counts = await status.counts();
      this.set(counts.pending + counts.queued);
    },
  });
  new Gauge({
    name: 'training_jobs',
    help: 'Jobs in the database by status.',
    labelNames: ['status'],
    registers,
    async collect() {
      for (const [name, value] of Object.entries(await status.counts())) this.set({ status: name }, value);
    },
  });
}

function addLiveGauges(registers: Registry[], live: LiveStats): void {
  new Gauge({
    name: 'live_connections',
    help: 'Open live connections.',
    labelNames: ['kind'],
    registers,
    collect() {
      for (const [kind, open] of Object.entries(live.openSockets())) this.set({ kind }, open);
    },
  });
  new Gauge({
    name: 'live_clients_behind',
    help: 'Live subscriptions that are not up to date.',
    registers,
    collect() {
      this.set(live.clientsBehind());
    },
  });
}
