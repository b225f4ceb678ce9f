import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../kernel/errors.js';
import type { Picture, RecognisedLine } from './recognition.js';
import { startTesseract, type TesseractEngine } from './tesseract-engine.js';
import { linesOfPage, type TesseractPage } from './tesseract-page.js';

export interface ThreadData {
  languages: readonly string[];
}

export type ThreadReply = { lines: RecognisedLine[] } | { error: string };

/** Radians: lines that lie more askew are turned first. */
const ASKEW = 0.005;
const LEAST_DPI = 70;

const { languages } = workerData as ThreadData;
const engine = startTesseract(languages);

parentPort?.on('message', (picture: Picture) => {
  void engine
    .then((ready): ThreadReply => ({ lines: recognise(ready, picture) }))
    .catch((error: unknown): ThreadReply => ({ error: messageOf(error) }))
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    .then((reply) => parentPort?.postMessage(reply));
});

function recognise({ api, setPicture }: TesseractEngine, picture: Picture): RecognisedLine[] {
  api.SetVariable('user_defined_dpi', String(Math.max(LEAST_DPI, Math.round(picture.dpi ?? 0))));
  setPicture(picture.bytes, picture.orientation, 0);
  api.FindLines();
  const angle = api.GetGradient();
  if (Math.abs(angle) >= ASKEW) setPicture(picture.bytes, picture.orientation, angle);
  api.Recognize(null);
  const lines = linesOfPage(JSON.parse(api.GetJSONText()) as TesseractPage);
  api.Clear();
  return lines;
}
