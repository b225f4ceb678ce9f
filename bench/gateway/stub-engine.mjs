// Run as a process of its own: an engine that answers at once, as vLLM would; `--port N`.
import { createServer } from 'node:http';

const MODEL = 'bench-base';
const TOKENS = 8;
const port = Number(process.argv[3]);
const created = 1_700_000_000;

const chunk = (content, finish_reason = null) =>
  `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created, model: MODEL, choices: [{ index: 0, delta: { content }, finish_reason }] })}\n\n`;
const STREAM = Buffer.from(
  `${Array.from({ length: TOKENS }, (_, index) => chunk(`Wort${index} `)).join('')}${chunk('', 'stop')}data: [DONE]\n\n`,
);
const WHOLE = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created,
    model: MODEL,
    choices: [{ index: 0, message: { role: 'assistant', content: 'Wort '.repeat(TOKENS) }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 12, completion_tokens: TOKENS, total_tokens: 12 + TOKENS },
  }),
);
const MODELS = Buffer.from(
  JSON.stringify({
    object: 'list',
    data: [{ id: MODEL, object: 'model', created, owned_by: 'vllm', root: MODEL, parent: null }],
  }),
);

const json = (response, status, body) =>
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length }).end(body);

/** The head says whether it streams, so that nothing is parsed here. */
function answer(response, head) {
  if (/"stream":\s*true/.test(head)) response.writeHead(200, { 'content-type': 'text/event-stream' }).end(STREAM);
  else json(response, 200, WHOLE);
}

createServer((request, response) => {
  if (request.method === 'GET') {
    request.resume();
    if (request.url === '/v1/models') json(response, 200, MODELS);
    else json(response, 200, Buffer.from('{}'));
    return;
  }
  let head = '';
  request.on('data', (piece) => (head ||= piece.toString('latin1', 0, 200)));
  request.once('end', () => answer(response, head));
}).listen(port, '127.0.0.1');
