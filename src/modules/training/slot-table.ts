import { rowsOf, type Sql } from '../../kernel/transaction.js';
import type { JobEntity } from './job.entity.js';
import { chooseSlot, type HostSlots } from './slots.js';

type Taken = Pick<JobEntity, 'slot' | 'gpu_indices'>;

export interface SlotTable {
  host: HostSlots;
  /** By trainings and by others. */
  taken: Taken[];
  /** Those of them that others hold, and can be asked for. */
  lent: Taken[];
}

/** The host's row lock makes the claims of one host serial, so that two applications never share a slot. */
export async function lockHost(sql: Sql, hostId: string): Promise<SlotTable> {
  const [host] = await rowsOf<HostSlots>(sql, 'SELECT slots, gpus FROM training_hosts WHERE host_id = $1 FOR UPDATE', [
    hostId,
  ]);
  if (!host) throw new Error(`host ${hostId} is not registered`);
  const rows = await rowsOf<Taken & { lent: boolean }>(
    sql,
    `SELECT slot, gpu_indices, false AS lent FROM training_jobs WHERE status = 'running' AND host_id = $1
      UNION ALL SELECT slot, gpu_indices, true FROM training_slot_holders WHERE host_id = $1 AND lease_until > now()`,
    [hostId],
  );
  return { host, taken: rows, lent: rows.filter(({ lent }) => lent) };
}

/** Asks for what others hold, where a job of so many GPUs would fit without them. */
export async function askBack(sql: Sql, hostId: string, { host, taken, lent }: SlotTable, gpus: number): Promise<void> {
  if (lent.length === 0) return;
  const others = taken.filter((row) => !lent.includes(row));
  if ('waitingFor' in chooseSlot(host, others, gpus)) return;
  await sql.query(
    'UPDATE training_slot_holders SET asked_back_at = coalesce(asked_back_at, now()) WHERE host_id = $1',
    [hostId],
  );
}
