// `node llama-facts.mjs LIBRARY GGUF TEXT`: what llama.cpp makes of a text, as JSON: its tokens, and the likeliest
// tokens behind each position with the logarithms of their probabilities.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const LIKELIEST = 5;
/** Probabilities over the whole vocabulary. */
const ALL = { temperature: 1, topK: 0, topP: 1, minP: 0 };
const [folder = '', modelPath = '', text = ''] = process.argv.slice(2);
const { getLlama } = await import(
  pathToFileURL(join(folder, 'node_modules', 'node-llama-cpp', 'dist', 'index.js')).href
);
const fixed = { gpu: false, build: 'never', skipDownload: true, progressLogs: false, logLevel: 'error' };
const llama = await getLlama({ ...fixed, maxThreads: 1 });

/** @param {Map<number, number>} chances */
const likeliest = (chances) =>
  Object.fromEntries([...chances].slice(0, LIKELIEST).map(([token, chance]) => [token, Math.log(chance)]));

const model = await llama.loadModel({ modelPath });
const bare = model.tokenize(text, true);
const tokens = model.tokens.shouldPrependBosToken ? [model.tokens.bos, ...bare] : [...bare];
const context = await model.createContext({ contextSize: tokens.length + 8, threads: 1 });
const asked = tokens.map((token) => [token, { generateNext: { probabilities: true, options: ALL } }]);
const evaluated = await context.getSequence().controlledEvaluate(asked);
const chances = evaluated.map(({ next }) => likeliest(next.probabilities));
// The library's own threads would keep the process.
process.stdout.write(JSON.stringify({ tokens, chances }), () => process.exit(0));
