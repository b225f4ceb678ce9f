import { realpath } from 'node:fs/promises';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { inTransaction, sqlState } from '../../kernel/transaction.js';
import { AuditTrail } from '../audit/audit.port.js';
import { systemCaller } from '../security/principal.port.js';
import { CONFIG_FILE, NoAdapter, readFolder, readJson, WEIGHTS_FILE } from './adapter-folder.js';
import { AdapterVersions, type VersionRecord } from './adapter-versions.port.js';
import { checkpointModelId, CheckpointVersions, type CheckpointOfJob } from './checkpoint-versions.port.js';
import { insertNamedVersion, newVersionId } from './new-version.js';

const TAKEN = '23505';

/** Registers checkpoints; they differ from the job's version in nothing but name, files and metrics. */
@Injectable()
export class RegisteredCheckpoints extends CheckpointVersions {
  constructor(
    private readonly source: DataSource,
    private readonly versions: AdapterVersions,
    private readonly audit: AuditTrail,
  ) {
    super();
  }

  async register(checkpoint: CheckpointOfJob): Promise<string | undefined> {
    const whole = await this.versions.ofJob(checkpoint.jobId);
    if (!whole) return undefined;
    const modelId = checkpointModelId(whole.model_id, checkpoint.step);
    if (!(await this.versions.find(modelId))) await this.#insert(whole, modelId, checkpoint);
    return modelId;
  }

  async #insert(whole: VersionRecord, modelId: string, checkpoint: CheckpointOfJob): Promise<void> {
    const path = await realpath(checkpoint.path);
    const [{ files, bytes, contentHash }, config] = await Promise.all([readFolder(path), readJson(path, CONFIG_FILE)]);
    if (!files.some(({ name }) => name === WEIGHTS_FILE)) throw new NoAdapter(`${WEIGHTS_FILE} is missing`);
    const version = {
      ...whole,
      id: newVersionId(),
      path,
      files,
      bytes,
      content_hash: contentHash,
      adapter_config: config,
      metrics: checkpoint.metrics,
      job_id: null,
      // The router chooses among what trainings were made for, not among their steps.
      domains: [],
    };
    const names = { name: `${whole.name}-step-${checkpoint.step}`, modelId };
    const target = { type: 'adapter', id: version.id };
    const detail = { name: names.name, model: modelId, job: checkpoint.jobId, content_hash: contentHash };
    await inTransaction(this.source, async (sql) => {
      await insertNamedVersion(sql, version, names);
      const by = systemCaller(whole.created_by);
      await this.audit.record(sql, by, { action: 'adapter.register', target, outcome: 'done', detail });
    }).catch((error: unknown) => {
      // Somebody else was quicker.
      if (sqlState(error) !== TAKEN) throw error;
    });
  }
}
