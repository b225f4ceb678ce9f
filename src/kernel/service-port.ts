import type { IncomingMessage } from 'node:http';

/** The services of the original; each has a port here, and every port answers every route. */
export const serviceNames = ['main', 'ingestion', 'training', 'dataset', 'serving', 'metrics', 'pki'] as const;
export type ServiceName = (typeof serviceNames)[number];

const asked = new WeakMap<IncomingMessage, { service: ServiceName; port: number }>();

/** Remembers on which port a request came in. */
export function markService(request: IncomingMessage, service: ServiceName, port: number): void {
  asked.set(request, { service, port });
}

/** The service whose port a request came in on; main where it came in otherwise. */
export const serviceOf = (request: IncomingMessage): { service: ServiceName; port: number } =>
  asked.get(request) ?? { service: 'main', port: 0 };
