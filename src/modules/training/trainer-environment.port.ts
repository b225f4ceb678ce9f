export type EnvironmentStatus = { ready: true } | { ready: false; reason: string };

/** The trainer's Python environment and the default base model: installed once, in the background. */
export abstract class TrainerEnvironment {
  abstract status(): EnvironmentStatus;
  /** Folder or hub id of the default base model; undefined until it is there. */
  abstract defaultModel(): string | undefined;
  abstract onChange(listener: () => void): () => void;
}
