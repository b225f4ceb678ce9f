// Run as a process of its own: posts at an even pace, or all at once; prints what came back as JSON.
import { Agent, request } from 'node:http';
import { readFileSync } from 'node:fs';
import { percentile } from '../figures.mjs';

/** @type {{url: string, body: string, headers: Record<string, string>, perSecond?: number, seconds?: number, atOnce?: number, times?: number}} */
const load = JSON.parse(readFileSync(0, 'utf8'));
const agent = new Agent({ keepAlive: true, maxSockets: 256 });
const body = Buffer.from(load.body);
const LEAD_IN_SECONDS = 2;

/** Time from when it was due to the last byte; status 0: it failed, or its stream did not end as it should. */
const send = (due) =>
  new Promise((done) => {
    const finish = (status) => done({ status, ms: performance.now() - due });
    const headers = { 'content-type': 'application/json', 'content-length': body.length, ...load.headers };
    request(load.url, { agent, method: 'POST', headers, timeout: 10_000 }, (response) => {
      let tail = '';
      response.on('data', (piece) => (tail = piece.toString('latin1').slice(-200)));
      response.once('end', () => finish(/\[DONE\]|"usage"|\}$/.test(tail.trimEnd()) ? response.statusCode : 0));
    })
      .once('timeout', function () {
        this.destroy(new Error('no answer in 10 s'));
      })
      .once('error', () => finish(0))
      .end(body);
  });

async function evenly({ perSecond = 0, seconds = 0 }) {
  const began = performance.now();
  const total = perSecond * (seconds + LEAD_IN_SECONDS);
  const sent = [];
  await new Promise((over) => {
    const timer = setInterval(() => {
      // The first one is due at once.
      const due = Math.min(total, Math.floor(((performance.now() - began) * perSecond) / 1000) + 1);
      while (sent.length < due) sent.push(send(began + (sent.length * 1000) / perSecond));
      if (sent.length === total) over(clearInterval(timer));
    }, 1);
  });
  return (await Promise.all(sent)).slice(perSecond * LEAD_IN_SECONDS);
}

async function atOnce({ atOnce: count = 0, times = 0 }) {
  const answers = [];
  for (let round = 0; round <= times; round += 1) {
    const now = performance.now();
    const burst = await Promise.all(Array.from({ length: count }, () => send(now)));
    // The first one opens the connections.
    if (round > 0) answers.push(...burst);
  }
  return answers;
}

const answers = await (load.atOnce ? atOnce(load) : evenly(load));
const times = answers.map(({ ms }) => ms);
console.log(
  JSON.stringify({
    p50: percentile(times, 50),
    p99: percentile(times, 99),
    errors: answers.filter(({ status }) => status !== 200).length,
    count: answers.length,
  }),
);
agent.destroy();
