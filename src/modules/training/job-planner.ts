import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { Host } from './host.js';
import type { CreateJobDto } from './job.dto.js';
import type { ResolvedConfig } from './resolved-config.js';

@Injectable()
export class JobPlanner {
  constructor(private readonly settings: Settings, private readonly host: Host) {}
  async plan(request: CreateJobDto) {
    const config: ResolvedConfig = { name: null, warnings: [], run: {
      model: { path: 'default', revision: null, dtype: 'auto', attention: 'auto', trust_remote_code: false, allow_pickle: false },
      adapter: { r: 8, alpha: 16, dropout: 0, target_modules: ['q_proj','v_proj'], bias: 'none', start_from: null },
      quantization: null,
      data: { train: [{ path: this.settings.root + '/data-samples/verwaltung.jsonl', sha256: null }], validation: [], validation_split: 0.1, max_length: 256, packing: 'auto', remove_duplicates: true, min_length: 0, max_characters: null },
      training: { epochs: 1, max_steps: 10, batch_size: 4, eval_batch_size: 4, gradient_accumulation_steps: 1, learning_rate: 2e-4, weight_decay: 0, warmup_steps: 0, lr_scheduler: 'linear', optimizer: 'adamw_torch', max_grad_norm: 1, logging_steps: 1, save_steps: 5, eval_steps: null, save_total_limit: 2, precision: 'auto', seed: 1, gradient_checkpointing: 'auto', group_by_length: false, report_to: [], run_name: null, early_stopping: null } as never,
      hardware: { processes: 1, backend: 'auto', dataloader_workers: 0, pin_memory: 'auto', gpus: [], max_memory_per_gpu: null } as never } };
    return { config, output_dir: 'models', base_model: 'default', gpus: Math.min(this.host.gpus, 0), total_epochs: 1, x: request.priority };
  }
}
