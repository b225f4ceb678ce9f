import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** As much of node-llama-cpp as is used here; it is installed on demand, apart from the application's own packages. */
export interface LlamaLibrary {
  getLlama(options: object): Promise<Llama>;
}

export interface Llama {
  maxThreads: number;
  loadModel(options: { modelPath: string; loadSignal?: AbortSignal }): Promise<LlamaModel>;
}

export type Token = number;

export interface LlamaModel {
  fileInfo: { metadata: Record<string, unknown> };
  trainContextSize: number;
  tokens: {
    bos: Token | null;
    bosString: string | null;
    eosString: string | null;
    shouldPrependBosToken: boolean;
  };
  tokenize(text: string, specialTokens?: boolean): Token[];
  detokenize(tokens: readonly Token[], specialTokens?: boolean, lastTokens?: readonly Token[]): string;
  createContext(options: object): Promise<LlamaContext>;
}

export interface LlamaContext {
  getSequence(): LlamaSequence;
  dispose(): Promise<void>;
}

export interface SamplingOptions {
  temperature: number;
  topP: number;
  topK: number;
  minP: number;
  seed?: number;
  /** The end of the text is a token as any other, and the answer goes on behind it. */
  yieldEogToken: boolean;
}

export interface LlamaSequence {
  evaluate(tokens: Token[], options: SamplingOptions): AsyncIterable<Token>;
  /** `probabilities`: by token, likeliest first. */
  evaluateWithMetadata(
    tokens: Token[],
    metadata: { probabilities: true },
    options: SamplingOptions,
  ): AsyncIterable<{ token: Token; probabilities: Map<Token, number> }>;
  clearHistory(): Promise<void>;
}

/** A template of Hugging Face's, in its interpreter in JavaScript, which the library itself uses. */
export interface TemplateEngine {
  Template: new (text: string) => { render(values: Record<string, unknown>): string };
}

const load = async <T>(folder: string, ...path: string[]): Promise<T> =>
  (await import(pathToFileURL(join(folder, 'node_modules', ...path)).href)) as T;

/** @param folder where scripts/install-llamacpp.mjs put it */
export const loadLibrary = (folder: string): Promise<LlamaLibrary> =>
  load(folder, 'node-llama-cpp', 'dist', 'index.js');

export const loadTemplates = (folder: string): Promise<TemplateEngine> =>
  load(folder, '@huggingface', 'jinja', 'dist', 'index.js');
