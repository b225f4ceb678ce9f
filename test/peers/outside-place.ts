import type { Replica } from '../../src/modules/documents/replica.port.js';
import type { Place } from '../fixtures/stores/replica-contract.js';

const PATIENCE_MS = 500;

type Address = { host: string; port: number };

/** A store at its server, and one of the same kind where nobody listens. */
export function outsidePlace<T extends Replica>(
  { host, port, secrets }: Address & { secrets: string[] },
  make: (at: Address, timeoutMs?: number) => T,
): Place<T> {
  // Port 1 is closed on every machine that tests run on.
  return { store: make({ host, port }), away: make({ host, port: 1 }, PATIENCE_MS), secrets };
}
