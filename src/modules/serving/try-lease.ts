import { chooseReplica } from './choose-replica.js';
import type { Held } from './adapter-slots.js';
import { EngineUnavailable, type EngineReply, type EngineRequest } from './engine.port.js';
import { NotServable, type Lease, type LeaseOptions, type Outcome } from './lease.js';
import type { Replica } from './replica.js';
import type { Target } from './targets.js';

type Version = Extract<Target, { kind: 'version' }>['version'];

/**
 * A lease, where there is one at this moment; else sets going what there is to wait for.
 * @throws EngineUnavailable, NotServable where waiting would not help
 */
export function tryLease(
  replicas: readonly Replica[],
  target: Target,
  options: Pick<LeaseOptions, 'except' | 'key'>,
): Lease | undefined {
  const open = replicas.filter(({ id }) => !options.except.has(id));
  if (open.length === 0) throw new EngineUnavailable('every replica failed this request');
  const ready = open.filter(({ isReady }) => isReady);
  if (ready.length === 0) return wakeSome(open);
  if (target.kind === 'base') {
    const chosen = choose(ready, options.key, 'base');
    return chosen && new ReplicaLease(chosen, undefined);
  }
  return leaseVersion(ready, open, { version: target.version, key: options.key });
}

function leaseVersion(
  ready: readonly Replica[],
  open: readonly Replica[],
  { version, key }: { version: Version; key: string | undefined },
): Lease | undefined {
  const fitting = ready.filter(({ bases }) => bases.includes(version.base));
  if (fitting.length === 0) return noneFits(open, version);
  const holders = fitting.filter(({ slots }) => isThere(slots.of(version.id)));
  if (holders.length === 0) return loadSomewhere(fitting, version);
  const chosen = choose(holders, key, version.id);
  return chosen && new ReplicaLease(chosen, chosen.slots.of(version.id));
}

const isThere = (held: Held | undefined): boolean => held !== undefined && !held.isLeaving;

const choose = (replicas: readonly Replica[], key: string | undefined, name: string): Replica | undefined =>
  chooseReplica(
    replicas.filter(({ hasRoom }) => hasRoom),
    key ?? name,
    key === undefined ? 'least' : 'bounded',
  );

const isHopeful = ({ isStarting, resting, isComingBack }: Replica): boolean =>
  isStarting || isComingBack || resting === undefined;

/** A start that failed a moment ago is not waited for, unless another replica is on its way. */
function wakeSome(open: readonly Replica[]): undefined {
  const hopeful = open.filter(isHopeful);
  if (hopeful.length === 0)
    throw new EngineUnavailable(open.map(({ id, resting }) => `${id}: ${resting ?? 'not there'}`).join('; '));
  for (const replica of hopeful) void replica.wake().catch(() => undefined);
  return undefined;
}

function noneFits(open: readonly Replica[], version: Version): undefined {
  const others = open.filter(({ bases, isReady }) => !isReady && (bases.length === 0 || bases.includes(version.base)));
  const hopeful = others.filter(isHopeful);
  for (const replica of hopeful) void replica.wake().catch(() => undefined);
  if (hopeful.length > 0) return undefined;
  const served = [...new Set(open.flatMap(({ bases }) => bases))].join(', ');
  throw new NotServable(
    `the adapter ${version.name} belongs to the base model ${version.base}; served is ${served || 'nothing'}`,
  );
}

/** Where most slots are free; a replica that refused it a moment ago is not asked again. */
function loadSomewhere(fitting: readonly Replica[], version: Version): undefined {
  if (fitting.some(({ loading }) => loading.isLoading(version.id))) return undefined;
  const refusals = fitting.map(({ id, loading }) => ({ id, reason: loading.refusal(version.id) }));
  const willing = fitting.filter(
    ({ loading, slots }) => loading.refusal(version.id) === undefined && !slots.of(version.id),
  );
  if (willing.length === 0) {
    const reasons = refusals.filter(({ reason }) => reason !== undefined);
    // One that is being unloaded is loaded again when that is done.
    if (reasons.length < refusals.length) return undefined;
    throw new NotServable(
      `the adapter ${version.name} is not taken: ${reasons.map(({ id, reason }) => `${id}: ${reason}`).join('; ')}`,
    );
  }
  const [best] = willing.toSorted((one, other) => other.slots.free - one.slots.free || one.running - other.running);
  if (best) loadThere(best, version);
  return undefined;
}

function loadThere(replica: Replica, version: Version): void {
  if (!replica.slots.canTake) return;
  void replica.load(version);
}

class ReplicaLease implements Lease {
  readonly replica: string;
  readonly engineName: string;
  /** Ends it from here; only an adapter's answers are. */
  readonly #end: AbortController | undefined;
  #isReleased = false;

  constructor(
    private readonly owner: Replica,
    private readonly held: Held | undefined,
  ) {
    this.replica = owner.id;
    this.engineName = held?.engineName ?? owner.engine.baseName();
    this.#end = held && new AbortController();
    if (this.#end) held?.answers.add(this.#end);
    owner.begin(held);
  }

  send(request: EngineRequest): Promise<EngineReply> {
    const signal = this.#end ? AbortSignal.any([request.signal, this.#end.signal]) : request.signal;
    return this.owner.engine.send({ ...request, signal });
  }

  release(outcome: Outcome): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    if (this.#end) this.held?.answers.delete(this.#end);
    this.owner.end(outcome);
  }
}
