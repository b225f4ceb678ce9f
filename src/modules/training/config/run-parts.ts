import type { DatasetFile } from '../../dataset/dataset-files.port.js';
import type { TrainerType, TrainingMethod } from '../job-state.js';
import type { Adapter, Data, DataFile, Model, Quantization, Training } from '../run-contract.generated.js';
import { datasetRules, ownFileRules, sampleRules } from './allowed-folders.js';
import { attentionOf, precisionOf, reportTo } from './choices.js';
import type { ConfigContext, ConfigRequest } from './context.js';
import { dataFiles } from './data-files.js';
import type { Findings } from './findings.js';
import type { ReadKeys } from './read-keys.js';

/** The data that a configuration without any trains on. */
const SAMPLE = 'data-samples/verwaltung.jsonl';

type Settings = ConfigContext['settings'];

export function modelOf(keys: ReadKeys, path: string, findings: Findings): Model {
  const { values } = keys;
  return {
    path,
    revision: values['model.revision'],
    dtype: values['model.torch_dtype'],
    attention: attentionOf(keys, findings),
    trust_remote_code: values['model.trust_remote_code'],
    allow_pickle: values['model.allow_pickle'],
  };
}

export const adapterOf = ({ values }: ReadKeys): Adapter => ({
  r: values['lora.r'],
  alpha: values['lora.alpha'],
  dropout: values['lora.dropout'],
  target_modules: values['lora.target_modules'],
  bias: values['lora.bias'],
  start_from: null,
});

/** Files of a dataset are what they were when it was made. */
async function datasetFiles(file: DatasetFile['train'], settings: Settings, findings: Findings): Promise<DataFile[]> {
  const files = await dataFiles('dataset_path', [file.path], ownFileRules(settings), findings);
  if (files.some(({ sha256 }) => sha256 !== null && sha256 !== file.sha256))
    findings.refuse('dataset_path', 'a file of the dataset was changed; make a new version of it');
  return files.map(({ path }) => ({ path, sha256: file.sha256 }));
}

/** The posted dataset or file, else the ones of the configuration, else the shipped sample. */
function trainFiles({ values, where }: ReadKeys, request: ConfigRequest, settings: Settings, findings: Findings) {
  const named = values['data.train_file'];
  const { dataset, dataset_path: posted } = request;
  if (dataset) return datasetFiles(dataset.train, settings, findings);
  if (posted) return dataFiles('dataset_path', [posted], datasetRules(settings), findings);
  if (named === null) return dataFiles('data.train_file', [SAMPLE], sampleRules(settings), findings);
  return dataFiles(where('data.train_file') ?? 'data.train_file', named, datasetRules(settings), findings);
}

export async function dataOf(keys: ReadKeys, request: ConfigRequest, settings: Settings, findings: Findings) {
  const { values } = keys;
  const named = values['data.validation_file'] ?? [];
  const train = await trainFiles(keys, request, settings, findings);
  const held = named.length === 0 ? request.dataset?.validation : null;
  const validation = held
    ? await datasetFiles(held, settings, findings)
    : await dataFiles('data.validation_file', named, datasetRules(settings), findings);
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
  } satisfies Data;
}

/** Pairs are one row each: what is about packing rows or sorting them says nothing to DPO. */
export function checkMethod({ values }: ReadKeys, method: TrainingMethod, findings: Findings): void {
  if (method !== 'dpo') return;
  if (values['lora.target_modules'].includes('lm_head'))
    findings.refuse('lora.target_modules', 'lm_head can get no adapter with method dpo; leave it out');
  if (values['data.packing'] === true) findings.warn('data.packing is without effect, as method is dpo');
  if (values['training.group_by_length']) findings.warn('training.group_by_length is without effect, as method is dpo');
}

/** The base is quantised for qlora, and for a continuous job whose file says how. */
export function quantizationOf(keys: ReadKeys, type: TrainerType, findings: Findings): Quantization | null {
  const { values, where, hasSection } = keys;
  if (type === 'lora' || (type === 'continuous' && !hasSection('qlora'))) return null;
  const { 'qlora.quant_type': kind, 'qlora.double_quant': double } = values;
  if (kind === 'int8' && double && where('qlora.double_quant') !== undefined)
    findings.warn('qlora.double_quant is without effect with int8: it is false');
  return {
    bits: kind === 'int8' ? 8 : 4,
    type: kind,
    double: double && kind !== 'int8',
    compute_dtype: values['qlora.compute_dtype'],
  };
}

export function trainingOf(keys: ReadKeys, findings: Findings): Training {
  const { values } = keys;
  const report = reportTo(keys);
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
    beta: values['dpo.beta'],
    gradient_checkpointing: values['hardware.use_gradient_checkpointing'],
    group_by_length: values['training.group_by_length'],
    report_to: report,
    run_name: values.name,
    early_stopping: values['evaluation.early_stopping'] ? { patience: values['evaluation.patience'] } : null,
    wandb: report.includes('wandb') ? { project, entity } : null,
    torch_compile: values['optimization.torch_compile'],
  };
}
