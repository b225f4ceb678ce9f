import type { Engine } from './engine.port.js';

/** The engines that the settings name, not yet started. */
export abstract class Engines {
  abstract readonly all: readonly Engine[];
  /** Ends those that are ours, within seconds. */
  abstract close(): Promise<void>;
}
