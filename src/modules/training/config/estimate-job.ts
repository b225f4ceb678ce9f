import { isAbsolute } from 'node:path';
import { DEFAULT_MODEL, type ResolvedConfig } from '../resolved-config.js';
import { estimateMemory, type MemoryEstimate, type MemoryPlace, type NoEstimate } from './estimate-memory.js';
import { readModelFacts } from './model-facts.js';

/**
 * The memory estimate of a resolved configuration, where its base model lies on this machine.
 * @param defaultModel folder of the model made on the spot; undefined: not made yet
 */
export async function estimateJob(
  { run }: Pick<ResolvedConfig, 'run'>,
  defaultModel: string | undefined,
  place: MemoryPlace,
): Promise<MemoryEstimate | NoEstimate> {
  const named = run.model.path;
  const folder = named === DEFAULT_MODEL ? defaultModel : named;
  if (folder === undefined)
    return { reason: 'the default base model is not made yet; ask again when /readyz is ready' };
  if (!isAbsolute(folder))
    return { reason: `${named} is on the hub and not on this machine; put it into a folder of CLARA_MODEL_DIRS` };
  const facts = await readModelFacts(folder);
  if (facts === undefined) return { reason: 'the config.json of the base model does not tell its size' };
  return estimateMemory(run, facts, place);
}
