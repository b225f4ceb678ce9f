import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** What is used of the engine's C++ interface (https://github.com/naptha/tesseract.js-core). */
interface TesseractApi {
  /** 0: ready. `engine` 1 is the neural network alone. */
  Init(folder: null, languages: string, engine: number): number;
  SetVariable(name: string, value: string): boolean;
  /** Takes the file `/input`; 1: cannot be read. `angle` in radians. */
  SetImageFile(orientation: number, angle: number): number;
  FindLines(): number;
  /** Of the lines, in radians. */
  GetGradient(): number;
  Recognize(monitor: null): number;
  GetJSONText(): string;
  Clear(): void;
}

interface TesseractModule {
  FS: { writeFile(path: string, data: Uint8Array): void };
  TessBaseAPI: new () => TesseractApi;
}

type StartTesseract = (module: {
  print: (line: string) => void;
  printErr: (line: string) => void;
}) => Promise<TesseractModule>;

export interface TesseractEngine {
  /** @throws Error where the bytes are no picture that it reads */
  setPicture: (bytes: Uint8Array, orientation: number, angle: number) => void;
  api: TesseractApi;
}

/** The network alone: the older engine is neither as good nor in the data. */
const LSTM_ONLY = 1;
/** Finds columns, and leaves out what is no text. */
const AUTOMATIC_LAYOUT = '3';
/** A function of WebAssembly that uses SIMD. */
const SIMD = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
]);

const require = createRequire(import.meta.url);
const { WebAssembly } = globalThis as unknown as { WebAssembly: { validate(code: Uint8Array): boolean } };

/**
 * Starts the engine with language data of installed packages; nothing is fetched.
 * @throws Error where a language's data is not there or not taken
 */
export async function startTesseract(languages: readonly string[]): Promise<TesseractEngine> {
  const core = WebAssembly.validate(SIMD) ? 'tesseract-core-simd-lstm' : 'tesseract-core-lstm';
  const start = require(`tesseract.js-core/${core}`) as StartTesseract;
  const engine = await start({ print: () => undefined, printErr: () => undefined });
  for (const language of languages) engine.FS.writeFile(`${language}.traineddata`, languageData(language));
  const api = new engine.TessBaseAPI();
  if (api.Init(null, languages.join('+'), LSTM_ONLY) !== 0)
    throw new Error(`the OCR engine does not take the languages ${languages.join(', ')}`);
  api.SetVariable('tessedit_pageseg_mode', AUTOMATIC_LAYOUT);
  return {
    api,
    setPicture: (bytes, orientation, angle) => {
      engine.FS.writeFile('/input', bytes);
      if (api.SetImageFile(orientation, angle) !== 0) throw new Error('the picture cannot be read: it is damaged');
    },
  };
}

/** The quantised network: as good as the full one in a fraction of its size. */
function languageData(language: string): Uint8Array {
  const folder = dirname(require.resolve(`@tesseract.js-data/${language}/package.json`));
  return gunzipSync(readFileSync(join(folder, '4.0.0_best_int', `${language}.traineddata.gz`)));
}
