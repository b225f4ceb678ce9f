// Run as a process of its own: requests at an even pace, whatever the answers take; prints what came back as JSON.
import { Agent, request } from 'node:http';
import { readFileSync } from 'node:fs';
import { percentile } from './figures.mjs';

/** @type {{url: string, paths: string[], tokens: string[], perSecond: number, seconds: number}} */
const { url, paths, tokens, perSecond, seconds } = JSON.parse(readFileSync(0, 'utf8'));
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
/** Start-up of this process and of those beside it is not measured. */
const LEAD_IN_SECONDS = 2;
const unmeasured = perSecond * LEAD_IN_SECONDS;
const total = unmeasured + perSecond * seconds;
const began = performance.now();
/** Of its answer, in the order they came. */
const answers = [];

/** The time counts from when it was due: one that has to wait for a socket has waited too. */
const send = (index) =>
  new Promise((done) => {
    const due = began + (index * 1000) / perSecond;
    const finish = (status) => done(answers.push({ index, status, ms: performance.now() - due }));
    const headers = { authorization: `Bearer ${tokens[index % tokens.length]}` };
    request(`${url}${paths[index % paths.length]}`, { agent, headers, timeout: 10_000 }, (response) => {
      response.resume().once('end', () => finish(response.statusCode));
    })
      .once('timeout', function () {
        this.destroy(new Error('no answer in 10 s'));
      })
      .once('error', () => finish(0))
      .end();
  });

const sent = [];
await new Promise((over) => {
  const timer = setInterval(() => {
    const due = Math.min(total, Math.floor(((performance.now() - began) * perSecond) / 1000));
    while (sent.length < due) sent.push(send(sent.length));
    if (sent.length === total) over(clearInterval(timer));
  }, 1);
});
await Promise.all(sent);
const times = answers.filter(({ index }) => index >= unmeasured).map(({ ms }) => ms);
console.log(
  JSON.stringify({
    perSecond,
    p50: percentile(times, 50),
    p99: percentile(times, 99),
    errors: answers.filter(({ status }) => status !== 200).length,
  }),
);
agent.destroy();
