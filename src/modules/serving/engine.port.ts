import type { Readable } from 'node:stream';

export const engineKinds = ['embedded', 'llamacpp', 'ollama', 'vllm'] as const;
export type EngineKind = (typeof engineKinds)[number];

/** A version as an engine is asked to hold it. */
export interface EngineAdapter {
  /** What a request's `model` says at this engine to mean the version. */
  engineName: string;
  /** The PEFT folder on this host. */
  path: string;
  rank: number;
}

/** What an engine says that it serves; `parent` is null for its base. */
export interface ServedModel {
  engineName: string;
  parent: string | null;
  root: string | null;
}

export interface EngineRequest {
  method: 'GET' | 'POST';
  /** From the engine's root, such as `/v1/chat/completions`. */
  path: string;
  headers: Record<string, string>;
  body: Buffer | Readable | null;
  signal: AbortSignal;
}

export interface EngineReply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Readable;
}

/** asleep: not started, or out of memory after an idle time. failed: its start failed, and why. */
export type EngineState = { is: 'asleep' | 'starting' | 'up' } | { is: 'down' | 'failed'; reason: string; since: Date };

/** One running engine: a process of ours, or a server of yours. Every call ends by its signal. */
export abstract class Engine {
  /** Unique among the replicas, such as `embedded` or `vllm-2`. */
  abstract readonly id: string;
  abstract readonly kind: EngineKind;
  /** Whether CLARA starts and ends it; a server of yours is only asked. */
  abstract readonly isOurs: boolean;
  /** GPUs that it wants while it runs; `wake` is given their numbers. */
  readonly wantedGpus: number = 0;
  abstract state(): EngineState;
  /** Calls back after each change of the state. @returns what undoes it */
  abstract onChange(listener: () => void): () => void;
  /** Starts it where it is ours, else asks whether it answers; at once where it is up. @throws EngineUnavailable */
  abstract wake(signal: AbortSignal, gpus?: readonly number[]): Promise<void>;
  abstract stop(): Promise<void>;
  /** The safe name of a version at this engine. */
  abstract nameOf(version: { id: string; modelId: string }): string;
  /** The name of its base at this engine; known once it is up. */
  abstract baseName(): string;
  /** Its own list, asked now. @throws EngineUnavailable */
  abstract served(signal: AbortSignal): Promise<ServedModel[]>;
  /** @throws AdapterRefused where the engine does not take it; EngineUnavailable */
  abstract load(adapter: EngineAdapter, signal: AbortSignal): Promise<void>;
  abstract unload(engineName: string, signal: AbortSignal): Promise<void>;
  /** @throws EngineUnavailable before the first byte of the reply's head; later the body's stream fails */
  abstract send(request: EngineRequest): Promise<EngineReply>;
  /** From now on it computes with so many threads; without effect where that is none of our business. */
  useThreads(_threads: number, _signal: AbortSignal): Promise<void> {
    return Promise.resolve();
  }
}

/** The engine is not there, or ended; another replica, or a later moment, may do. */
export class EngineUnavailable extends Error {}

/** The engine is there and says no to this adapter: its reason. */
export class AdapterRefused extends Error {}
