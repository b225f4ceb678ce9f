// Run as a process of its own: a proxy that only pipes, the least that one can do; `--port N --to URL`.
import { Agent, createServer, request as ask } from 'node:http';

const port = Number(process.argv[3]);
const to = new URL(process.argv[5]);
const agent = new Agent({ keepAlive: true, maxSockets: 256 });

createServer((request, response) => {
  const { method, url: path, headers } = request;
  const upstream = ask({ host: to.hostname, port: to.port, method, path, headers, agent }, (reply) => {
    response.writeHead(reply.statusCode, reply.headers);
    reply.pipe(response);
  });
  upstream.once('error', () => response.destroy());
  request.pipe(upstream);
}).listen(port, '127.0.0.1');
