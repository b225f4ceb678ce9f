import type { JobEntity } from './job.entity.js';

export interface HostSlots {
  /** Trainings at the same time. */
  slots: number;
  /** GPUs of the host. */
  gpus: number;
}

export interface SlotChoice {
  slot: number;
  gpus: number[];
}

const free = (count: number, taken: ReadonlySet<number>): number[] =>
  Array.from({ length: count }, (_, index) => index).filter((index) => !taken.has(index));

/** The lowest free slot and GPUs for a job that asks for `gpus`, or what it waits for. */
export function chooseSlot(
  host: HostSlots,
  running: Pick<JobEntity, 'slot' | 'gpu_indices'>[],
  gpus: number,
): SlotChoice | { waitingFor: 'slot' | 'gpu' } {
  if (running.length >= host.slots) return { waitingFor: 'slot' };
  const [slot] = free(host.slots, new Set(running.map((job) => job.slot ?? -1)));
  if (slot === undefined) return { waitingFor: 'slot' };
  const freeGpus = free(host.gpus, new Set(running.flatMap((job) => job.gpu_indices)));
  if (freeGpus.length < gpus) return { waitingFor: 'gpu' };
  return { slot, gpus: freeGpus.slice(0, gpus) };
}
