import { AppError } from '../../../kernel/errors.js';
import type { ResolvedConfig } from '../resolved-config.js';
import { configRules } from './allowed-folders.js';
import { baseModel } from './base-model.js';
import { checkEvaluation, checkSteps, checkTrust, hardwareOf } from './choices.js';
import type { ConfigContext, ConfigRequest } from './context.js';
import { Findings } from './findings.js';
import { checkMachine, processesOf } from './machine-rules.js';
import { outputFolder } from './output-folder.js';
import { ConfigError, readConfig, type ConfigDocument } from './read-config.js';
import { readKeys, type ReadKeys } from './read-keys.js';
import { adapterOf, dataOf, modelOf, quantizationOf, trainingOf } from './run-parts.js';
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

/**
 * What a posted job will run with on this machine, under these settings. `auto` stays where the trainer decides.
 * @throws AppError `invalid` with every problem, each by its YAML path (or `config_path`, `dataset_path`)
 */
export async function resolveConfig(request: ConfigRequest, context: ConfigContext): Promise<ResolvedJob> {
  const { settings, machine } = context;
  const findings = new Findings();
  const keys = readKeys(await read(request, settings), request.trainer_type, findings);
  checkRules(keys, context, findings);
  const processes = processesOf(keys, machine);
  const path = await modelPath(keys, settings, findings);
  const run = {
    model: modelOf(keys, path, findings),
    adapter: adapterOf(keys),
    quantization: quantizationOf(keys, request.trainer_type, findings),
    data: await dataOf(keys, request, settings, findings),
    training: trainingOf(keys, findings),
    hardware: hardwareOf(keys, processes),
  };
  const output_dir = await outputOf(keys, settings.folders.data, findings);
  findings.end();
  const {
    name,
    'continuous.adapter': adapter,
    'training.num_epochs': epochs,
    'training.max_steps': steps,
  } = keys.values;
  const continuous = request.trainer_type === 'continuous' ? { continuous: { adapter } } : {};
  return {
    config: { run, name, ...continuous, ...datasetOf(request), warnings: findings.warnings },
    config_path: request.config_path,
    output_dir,
    base_model: path,
    gpus: machine.gpus > 0 ? processes : 0,
    total_epochs: steps > 0 ? 0 : Math.ceil(epochs),
  };
}
