// A process full of clients: `fork`ed by the benchmark with {kind, url, count}, and told what to do by messages.
import { setTimeout as sleep } from 'node:timers/promises';
import { Histogram } from '../figures.mjs';
import { PlainClient, Seen, SocketIoClient } from './client.mjs';

const { kind, url, count } = JSON.parse(process.argv[2]);
const OPENED_AT_ONCE = 20;
const histogram = new Histogram();
let counting = false;

const makeClient = () => {
  const seen = new Seen((ms) => counting && histogram.add(ms));
  return kind === 'plain' ? new PlainClient(url, seen) : new SocketIoClient(url, seen);
};
const clients = Array.from({ length: count }, makeClient);

async function open(some) {
  for (let index = 0; index < some.length; index += OPENED_AT_ONCE)
    await Promise.all(some.slice(index, index + OPENED_AT_ONCE).map((client) => client.open()));
}

const commands = {
  open: () => open(clients),
  /** Drops every n-th client, and brings it back after `ms` with the last number it saw. */
  async dropAndReturn({ share, ms }) {
    const some = clients.filter((_, index) => index % Math.round(1 / share) === 0);
    for (const client of some) client.drop();
    await sleep(ms);
    await open(some);
    return some.length;
  },
  count: ({ on }) => void (counting = on),
  report: () => ({
    latencies: histogram.counts,
    newest: clients.map(({ seen }) => seen.last),
    updates: clients.reduce((sum, { seen }) => sum + seen.updates, 0),
    missing: clients.reduce((sum, { seen }) => sum + seen.missing, 0),
    repeated: clients.reduce((sum, { seen }) => sum + seen.repeated, 0),
  }),
};

process.on('message', async ({ id, name, options }) => {
  try {
    process.send({ id, answer: await commands[name](options) });
  } catch (error) {
    process.send({ id, error: error.message });
  }
});
process.on('disconnect', () => process.exit(0));
