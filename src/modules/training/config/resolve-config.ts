import { AppError } from '../../../kernel/errors.js';
import { DEFAULT_MODEL, type ResolvedConfig } from '../resolved-config.js';
import type { Quantization, Training } from '../run-contract.generated.js';
import { configRules, datasetRules, sampleRules } from './allowed-folders.js';
import { baseModel } from './base-model.js';
import { attentionOf, checkEvaluation, checkSteps, checkTrust, hardwareOf, precisionOf, reportTo } from './choices.js';
import type { ConfigContext, ConfigRequest } from './context.js';
import { dataFiles } from './data-files.js';
import { Findings } from './findings.js';
import { checkMachine, processesOf } from './machine-rules.js';
import { outputFolder } from './output-folder.js';
import { ConfigError, readConfig, type ConfigDocument } from './read-config.js';
import { readKeys, type ReadKeys } from './read-keys.js';
import { PathError } from './safe-path.js';

/** What a posted job comes to. */
export interface ResolvedJob {
  config: ResolvedConfig;
  /** As sent. */
  config_path: string;
  /** A name under the data folder. */
  output_dir: string;
  /** `default` for the model made on the spot, else a hub id or the real path of a folder: equal for equal models. */
  base_model: string;
  /** GPUs the job needs; 0 on a machine without any. */
  gpus: number;
  /** 0: the training is counted in steps, and its epochs are known once it has started. */
  total_epochs: number;
}

/** The data that a configuration without any trains on. */
const SAMPLE = 'data-samples/sample.jsonl';

async function read(request: ConfigRequest, settings: ConfigContext['settings']): Promise<ConfigDocument> {
  try {
    return await readConfig(request.config_path, configRules(settings));
  } catch (error) {
    if (error instanceof PathError)
      throw new AppError('invalid', `config_path: ${error.message}`, [{ path: 'config_path', message: error.message }]);
    if (!(error instanceof ConfigError)) throw error;
    const problems = error.problems.map(({ path, message }) => ({ path: 'config_path', message: `${path}: ${message}` }));
    throw new AppError('invalid', `${request.config_path} is not a configuration: ${error.message}`, problems);
  }
}

async function dataOf(keys: ReadKeys, request: ConfigRequest, settings: ConfigContext['settings'], findings: Findings) {
  const { values, where } = keys;
  const rules = datasetRules(settings);
  const named = values['data.train_file'];
  const train = request.dataset_path
    ? await dataFiles('dataset_path', [request.dataset_path], rules, findings)
    : named
      ? await dataFiles(where('data.train_file') ?? 'data.train_file', named, rules, findings)
      : await dataFiles('data.train_file', [SAMPLE], sampleRules(settings), findings);
  const validation = await dataFiles('data.validation_file', values['data.validation_file'] ?? [], rules, findings);
  if (validation.some((file) => train.some((other) => other.path === file.path)))
    findings.warn('data.validation_file holds rows that are trained on: the evaluation will look too good');
  return {
    train,
    validation,
    validation_split: values['data.validation_split'],
    max_length: values['data.max_length'],
    packing: values['data.packing'],
    remove_duplicates: values['data.preprocessing.remove_duplicates'],
    min_length: values['data.preprocessing.min_length'],
    max_characters: values['data.preprocessing.max_length'],
  };
}

function quantizationOf({ values, where, hasSection }: ReadKeys, request: ConfigRequest, findings: Findings) {
  const wanted = request.trainer_type === 'qlora' || (request.trainer_type === 'continuous' && hasSection('qlora'));
  if (!wanted) return null;
  const { 'qlora.quant_type': type, 'qlora.double_quant': double } = values;
  if (type === 'int8' && double && where('qlora.double_quant') !== undefined)
    findings.warn('qlora.double_quant is without effect with int8: it is false');
  const quantization: Quantization = {
    bits: type === 'int8' ? 8 : 4,
    type,
    double: double && type !== 'int8',
    compute_dtype: values['qlora.compute_dtype'],
  };
  return quantization;
}

function trainingOf(keys: ReadKeys, findings: Findings): Training {
  const { values } = keys;
  const report = reportTo(keys, findings);
  const { 'wandb.project': project, 'wandb.entity': entity } = values;
  return {
    epochs: values['training.num_epochs'],
    max_steps: values['training.max_steps'],
    batch_size: values['training.batch_size'],
    eval_batch_size: values['training.eval_batch_size'] ?? values['training.batch_size'],
    gradient_accumulation_steps: values['training.gradient_accumulation_steps'],
    learning_rate: values['training.learning_rate'],
    weight_decay: values['training.weight_decay'],
    warmup_steps: values['training.warmup_steps'],
    lr_scheduler: values['training.lr_scheduler'],
    optimizer: values['training.optimizer'],
    max_grad_norm: values['training.max_grad_norm'],
    logging_steps: values['training.logging_steps'],
    save_steps: values['training.save_steps'],
    eval_steps: values['training.eval_steps'],
    save_total_limit: values['training.save_total_limit'],
    precision: precisionOf(keys, findings),
    seed: values['training.seed'],
    gradient_checkpointing: values['hardware.use_gradient_checkpointing'],
    group_by_length: values['training.group_by_length'],
    report_to: report,
    run_name: values.name,
    early_stopping: values['evaluation.early_stopping'] ? { patience: values['evaluation.patience'] } : null,
    wandb: report.includes('wandb') ? { project, entity } : null,
    torch_compile: values['optimization.torch_compile'],
  };
}
