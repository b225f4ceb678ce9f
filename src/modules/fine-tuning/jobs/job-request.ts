import { randomInt } from 'node:crypto';
import { AppError } from '../../../kernel/errors.js';
import type { CreateFineTuningJobDto, DpoHyperparametersDto } from './create-job.dto.js';
import type { AskedHyperparameters } from './hyperparameters.js';
import type { JobRequest } from './job-row.js';
import type { StartModel } from './model-names.js';

const SEEDS = 2_147_483_647;

/** Both places at once say two things. @throws AppError `bad_request` */
function hyperparametersOf({ hyperparameters, method }: CreateFineTuningJobDto): DpoHyperparametersDto {
  const type = method?.type ?? 'supervised';
  const nested = type === 'dpo' ? method?.dpo?.hyperparameters : method?.supervised?.hyperparameters;
  if (hyperparameters && nested)
    throw new AppError('bad_request', `hyperparameters: method.${type}.hyperparameters says it already; send one`, [
      { path: 'hyperparameters', message: 'stands twice' },
    ]);
  return nested ?? hyperparameters ?? {};
}

/** @throws AppError `bad_request` where an adapter, which keeps its rank, scale and layers for life, shall have others */
function loraOf({ lora }: CreateFineTuningJobDto, start: StartModel): JobRequest['lora'] {
  if (!lora) return {};
  if (start.versionId !== null)
    throw new AppError('bad_request', `lora: ${start.name} keeps its rank, alpha and layers; leave it out`, [
      { path: 'lora', message: 'does not go with an ft: model' },
    ]);
  return Object.fromEntries(Object.entries(lora).filter(([, value]) => value !== undefined));
}

/** What a body orders; whatever it leaves out is `auto`. */
export function jobRequest(
  body: CreateFineTuningJobDto,
  start: StartModel,
  seedByChance = (): number => randomInt(SEEDS),
): JobRequest {
  const { n_epochs, batch_size, learning_rate_multiplier, beta } = hyperparametersOf(body);
  const asked: AskedHyperparameters = {
    n_epochs: n_epochs ?? 'auto',
    batch_size: batch_size ?? 'auto',
    learning_rate_multiplier: learning_rate_multiplier ?? 'auto',
    beta: beta ?? 'auto',
  };
  return {
    method: body.method?.type ?? 'supervised',
    asked,
    suffix: body.suffix || null,
    seed: body.seed ?? seedByChance(),
    baseModel: start.baseModel,
    versionId: start.versionId,
    lora: loraOf(body, start),
  };
}
