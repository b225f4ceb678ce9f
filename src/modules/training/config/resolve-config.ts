import { basename } from 'node:path';
import { AppError } from '../../../kernel/errors.js';
import { DEFAULT_MODEL, type ResolvedConfig } from '../resolved-config.js';
import { configRules } from './allowed-folders.js';
import { baseModel } from './base-model.js';
import { checkEvaluation, checkSteps, checkTrust, hardwareOf } from './choices.js';
import type { ConfigContext, ConfigRequest } from './context.js';
import { Findings } from './findings.js';
import { checkMachine, processesOf } from './machine-rules.js';
import { outputFolder } from './output-folder.js';
import { overlaid } from './overlay.js';
import { ConfigError, readConfig, type ConfigDocument } from './read-config.js';
import { readKeys, type ReadKeys } from './read-keys.js';
import { adapterOf, checkMethod, dataOf, modelOf, quantizationOf, trainingOf } from './run-parts.js';
import { continued, readStartAdapter, refuseConflicts, refuseOtherBase, type StartAdapter } from './start-adapter.js';
import { PathError } from '../../../kernel/safe-path.js';

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

type Settings = ConfigContext['settings'];

async function read(request: ConfigRequest, settings: Settings): Promise<ConfigDocument> {
  try {
    return await readConfig(request.config_path, configRules(settings));
  } catch (error) {
    if (error instanceof PathError)
      throw new AppError('invalid', `config_path: ${error.message}`, [{ path: 'config_path', message: error.message }]);
    if (!(error instanceof ConfigError)) throw error;
    const problems = error.problems.map(({ path, message }) => ({
      path: 'config_path',
      message: `${path}: ${message}`,
    }));
    throw new AppError('invalid', `${request.config_path} is not a configuration: ${error.message}`, problems);
  }
}

function checkRules(keys: ReadKeys, { settings, machine }: ConfigContext, findings: Findings): void {
  checkTrust(keys, settings, findings);
  checkMachine(keys, machine, findings);
  checkEvaluation(keys, findings);
  checkSteps(keys, findings);
}

async function outputOf({ values }: ReadKeys, dataFolder: string, findings: Findings): Promise<string> {
  const asked = values['training.output_dir'];
  const name = (await findings.path('training.output_dir', outputFolder(asked, dataFolder))) ?? asked;
  if (name !== asked) findings.warn(`training.output_dir: ${asked} is taken as ${name}`);
  return name;
}

async function modelPath({ values, where }: ReadKeys, settings: Settings, findings: Findings): Promise<string> {
  const asked = values['model.base_model'];
  const pickle = values['model.allow_pickle'] && settings.training.allowPickle ? 'pickle' : 'no pickle';
  const key = where('model.base_model') ?? 'model.base_model';
  return (await findings.path(key, baseModel(asked, settings, pickle))) ?? asked;
}

const datasetOf = ({ dataset }: ConfigRequest): Pick<ResolvedConfig, 'dataset'> =>
  dataset
    ? { dataset: { reference: dataset.reference, content_hash: dataset.contentHash, sha256: dataset.train.sha256 } }
    : {};

/** The keys of the file, with what the request and the adapter it begins with say instead. */
function keysOf(document: ConfigDocument, request: ConfigRequest, { machine }: ConfigContext, findings: Findings) {
  const keys = readKeys(document, request, findings);
  return request.overlay ? overlaid(keys, request.overlay, processesOf(keys, machine), findings) : keys;
}

async function startOf({ start_from }: ConfigRequest, findings: Findings): Promise<StartAdapter | undefined> {
  return start_from === undefined ? undefined : readStartAdapter(start_from, findings);
}

/** Without a base of its own a request takes the one that its adapter was made for. */
function withBaseOf(start: StartAdapter | undefined, request: ConfigRequest): ConfigRequest {
  const { overlay, default_model: made } = request;
  if (!start || !overlay || overlay.values['model.base_model'] !== undefined) return request;
  const base = made !== undefined && basename(made) === basename(start.base) ? DEFAULT_MODEL : start.base;
  return { ...request, overlay: { ...overlay, values: { ...overlay.values, 'model.base_model': base } } };
}

/** Of the file, or of the adapter that is trained further; only a person's own file can contradict that. */
function adapterPart(start: StartAdapter | undefined, keys: ReadKeys, request: ConfigRequest, findings: Findings) {
  if (start && !request.overlay) refuseConflicts(start, keys, findings);
  return start ? continued(start) : adapterOf(keys);
}

function resolved(keys: ReadKeys, request: ConfigRequest, parts: Pick<ResolvedJob, 'output_dir' | 'base_model'>) {
  const { 'continuous.adapter': adapter, 'training.num_epochs': epochs, 'training.max_steps': steps } = keys.values;
  return {
    ...parts,
    config_path: request.config_path,
    continuous: request.trainer_type === 'continuous' ? { continuous: { adapter } } : {},
    total_epochs: steps > 0 ? 0 : Math.ceil(epochs),
  };
}

/**
 * What a posted job will run with on this machine, under these settings. `auto` stays where the trainer decides.
 * @throws AppError `invalid` with every problem, each by its YAML path (or `config_path`, `dataset_path`, `start_from`)
 */
export async function resolveConfig(asked: ConfigRequest, context: ConfigContext): Promise<ResolvedJob> {
  const { settings, machine } = context;
  const findings = new Findings();
  const start = await startOf(asked, findings);
  const request = withBaseOf(start, asked);
  const keys = keysOf(await read(request, settings), request, context, findings);
  checkRules(keys, context, findings);
  checkMethod(keys, request.method, findings);
  const processes = processesOf(keys, machine);
  const path = await modelPath(keys, settings, findings);
  refuseOtherBase(start, path === DEFAULT_MODEL ? request.default_model : path, keys, findings);
  const run = {
    method: request.method,
    model: modelOf(keys, path, findings),
    adapter: adapterPart(start, keys, request, findings),
    quantization: quantizationOf(keys, request.trainer_type, findings),
    data: await dataOf(keys, request, settings, findings),
    training: trainingOf(keys, findings),
    hardware: hardwareOf(keys, processes),
  };
  const output_dir = await outputOf(keys, settings.folders.data, findings);
  findings.end();
  const { continuous, ...job } = resolved(keys, request, { output_dir, base_model: path });
  return {
    ...job,
    config: { run, name: keys.values.name, ...continuous, ...datasetOf(request), warnings: findings.warnings },
    gpus: machine.gpus > 0 ? processes : 0,
  };
}
