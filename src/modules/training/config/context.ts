import type { DatasetFile } from '../../dataset/dataset-files.port.js';
import type { TrainerType, TrainingMethod } from '../job-state.js';
import type { Overlay } from './overlay.js';

/** What a client posts. */
export interface ConfigRequest {
  trainer_type: TrainerType;
  method: TrainingMethod;
  config_path: string;
  /** null or empty: the data that the configuration names. */
  dataset_path: string | null;
  /** The files of the dataset that `dataset_path` named. */
  dataset?: Pick<DatasetFile, 'reference' | 'contentHash' | 'train' | 'validation'> | undefined;
  /** Values in place of those of the file. */
  overlay?: Overlay | undefined;
  /** Folder of the adapter to train further. */
  start_from?: string | undefined;
  /** Folder of the model made on the spot; undefined: not made yet. */
  default_model?: string | undefined;
}

export interface Machine {
  gpus: number;
  /** Whether every GPU computes bfloat16 in hardware. */
  bf16: boolean;
  cores: number;
}

/** What the settings and the machine allow. */
export interface ConfigContext {
  settings: {
    root: string;
    folders: { data: string; cache: string; configs: string[]; datasets: string[]; models: string[] };
    training: { baseModel?: string | undefined; allowRemoteCode: boolean; allowPickle: boolean };
  };
  machine: Machine;
}
