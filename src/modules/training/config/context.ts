import type { DatasetFile } from '../../dataset/dataset-files.port.js';
import type { TrainerType } from '../job-state.js';

/** What a client posts. */
export interface ConfigRequest {
  trainer_type: TrainerType;
  config_path: string;
  /** null or empty: the data that the configuration names. */
  dataset_path: string | null;
  /** The files of the dataset that `dataset_path` named. */
  dataset?: DatasetFile | undefined;
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
