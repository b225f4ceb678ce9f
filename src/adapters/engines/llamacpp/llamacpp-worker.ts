import { parseArgs } from 'node:util';
import { messageOf } from '../../../kernel/errors.js';
import { loadLibrary, loadTemplates } from './llama-library.js';
import { LlamaServer } from './llama-server.js';
import { ServedModels } from './served-models.js';

/** One base model by llama.cpp, in a process of its own; its first line says its port, and it ends with its stdin. */
async function main(): Promise<void> {
  const options = { type: 'string', default: '' } as const;
  const names = [
    'library',
    'model',
    'name',
    'adapters',
    'template',
    'max-loras',
    'rows',
    'context',
    'threads',
  ] as const;
  const { values } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, options])) });
  const text = (name: (typeof names)[number]): string => String(values[name]);
  const key = process.env['CLARA_ENGINE_KEY'];
  if (!key) throw new Error('CLARA_ENGINE_KEY is missing');
  const library = await loadLibrary(text('library'));
  const threads = Number(text('threads'));
  // Nothing is built or fetched here: the binary lies beside the library.
  const fixed = { gpu: false, build: 'never', skipDownload: true, progressLogs: false, logLevel: 'error' };
  const llama = await library.getLlama({ ...fixed, maxThreads: threads });
  const model = await llama.loadModel({ modelPath: text('model') });
  const models = await ServedModels.open(model, await loadTemplates(text('library')), {
    name: text('name'),
    gguf: text('model'),
    adapters: text('adapters'),
    template: text('template'),
    maxLoras: Number(text('max-loras')),
    rows: Number(text('rows')),
    contextSize: Number(text('context')),
    threads,
  });
  const server = new LlamaServer({ models, key, useThreads: (count) => (llama.maxThreads = count) });
  const port = await server.listen();
  say({ ready: { port, model: text('name'), device: 'cpu', context: models.contextSize } });
}

const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

process.stdin.once('end', () => process.exit(0)).resume();
process.once('SIGTERM', () => process.exit(0));
main().catch((error: unknown) => {
  process.stdout.write(`${JSON.stringify({ failed: { message: messageOf(error) } })}\n`, () => process.exit(1));
});
