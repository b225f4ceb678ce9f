import { realpath } from 'node:fs/promises';
import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { AuditTrail } from '../audit/audit.port.js';
import { systemCaller } from '../security/principal.port.js';
import { CompletedAdapters, type CompletedJob, type Registration } from '../training/completed-adapter.port.js';
import { loraConfigOf } from './adapter-config.js';
import { CONFIG_FILE, NoAdapter, readFolder, readJson, WEIGHTS_FILE } from './adapter-folder.js';
import { AdapterPlace } from './adapter-place.js';
import { BaseModels } from './base-models.port.js';
import { insertVersion, newVersionId, type NewVersion } from './new-version.js';
import { datasetOf, methodOf, metricsOf, namesOf } from './trained-facts.js';

const REPORT_FILE = 'training_report.json';

/** Registers what trainings make. */
@Injectable()
export class TrainedAdapters extends CompletedAdapters {
  constructor(
    private readonly bases: BaseModels,
    private readonly place: AdapterPlace,
    private readonly audit: AuditTrail,
    private readonly settings: Settings,
  ) {
    super();
  }

  async prepare(job: CompletedJob): Promise<Registration> {
    const version = await this.#version(job);
    const by = systemCaller(job.createdBy);
    return async (sql) => {
      const { id, name, model_id: model } = await insertVersion(sql, version);
      const target = { type: 'adapter', id };
      const detail = { name, model, job: job.jobId, content_hash: version.content_hash };
      await this.audit.record(sql, by, { action: 'adapter.register', target, outcome: 'done', detail });
    };
  }

  async #version(job: CompletedJob): Promise<NewVersion> {
    const path = await realpath(job.adapterPath);
    const [{ files, bytes, contentHash }, config, report] = await Promise.all([
      readFolder(path),
      readJson(path, CONFIG_FILE),
      readJson(path, REPORT_FILE).catch(() => ({})),
    ]);
    if (!files.some(({ name }) => name === WEIGHTS_FILE)) throw new NoAdapter(`${WEIGHTS_FILE} is missing`);
    const lora = loraConfigOf(config);
    const base = await this.bases.of(lora.base ?? job.baseModel, lora.revision);
    return {
      id: newVersionId(),
      base: base.slug,
      base_path: base.named,
      base_hash: base.hash,
      method: methodOf(job, lora.dora ? 'dora' : 'plain'),
      rank: lora.rank,
      path,
      place: await this.place.id(),
      content_hash: contentHash,
      bytes,
      files,
      adapter_config: config,
      configuration: { trainer_type: job.trainerType, config_path: job.configPath, ...job.config.run },
      dataset: datasetOf(job, report),
      metrics: metricsOf(report),
      origin: 'training',
      job_id: job.jobId,
      created_by: job.createdBy,
      tags: job.tags,
      notes: '',
      organisation: this.settings.adapters.organisation,
      ...namesOf(job),
    };
  }
}
