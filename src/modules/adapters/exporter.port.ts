export const exportFormats = ['merged', 'gguf', 'merged-gguf'] as const;
/** merged: a folder with the base's weights, adapter added. gguf: the adapter, merged-gguf: both in one file, with a Modelfile. */
export type ExportFormat = (typeof exportFormats)[number];

export interface ExportRequest {
  base: string;
  /** PEFT folder. */
  adapter: string;
  /** Made by the export; must not be there. */
  out: string;
  name: string;
  format: ExportFormat;
}

/** The export cannot be made: why, in words for the one who asked. */
export class ExportFailed extends Error {}

/** Writes adapters in other forms, in a process of its own that can be killed. */
export abstract class AdapterExporter {
  /**
   * @param report phase in words, and how much is done, 0 to 1
   * @throws ExportFailed; the signal's reason, once nothing of the process is left
   */
  abstract run(
    request: ExportRequest,
    report: (phase: string, progress: number) => void,
    signal: AbortSignal,
  ): Promise<void>;
}
