import { PassThrough, type Readable } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import { readSettings } from '../../../config/settings.js';
import { BodyMemory } from './body-memory.js';
import { IncomingBody } from './incoming-body.js';

const KB = 1024;

const memoryOf = (megabytes: number): BodyMemory =>
  new BodyMemory(
    readSettings({ CLARA_SECURITY_MODE: 'debug', CLARA_GATEWAY_HELD_MB: String(megabytes) }, '/srv/clara'),
  );

function bodyIn(memory: BodyMemory): { body: IncomingBody; client: PassThrough } {
  const client = Object.assign(new PassThrough({ highWaterMark: 8 * KB * KB }), { headers: {} });
  const request = client as unknown as IncomingMessage;
  return { body: new IncomingBody(request, { maxBytes: 32 * KB * KB, keepBytes: KB * KB, memory }), client };
}

const words = (bytes: number): string => 'x'.repeat(bytes);

async function textOf(body: Buffer | Readable): Promise<string> {
  if (Buffer.isBuffer(body)) return body.toString();
  const pieces: Buffer[] = [];
  for await (const piece of body as AsyncIterable<Buffer>) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

describe('a body on its way through', () => {
  it.each([10, 100 * KB])('of %i bytes is sent twice with another model in it', async (bytes) => {
    const memory = memoryOf(1);
    const { body, client } = bodyIn(memory);
    client.end(`{"prompt":"${words(bytes)}","model":"one"}`);
    await body.complete();
    const wanted = `{"prompt":"${words(bytes)}","model":"the other"}`;
    expect(body.out('the other').length).toBe(wanted.length);
    expect(await textOf(body.out('the other').body)).toBe(wanted);
    expect(body.isKept).toBe(true);
    expect(memory.held).toBeGreaterThan(bytes);
    body.release();
    expect(memory.held).toBe(0);
  });

  it('is refused with 503 where no room is left and it can not be sent yet', async () => {
    const memory = memoryOf(1);
    const { body, client } = bodyIn(memory);
    client.end(`{"prompt":"${words(2 * KB * KB)}","model":"one"}`);
    await expect(body.complete()).rejects.toMatchObject({ code: 'unavailable', status: 503 });
    expect(memory.held).toBe(0);
  });

  it('goes through without being kept where no room is left while it is sent', async () => {
    const memory = memoryOf(1);
    const { body, client } = bodyIn(memory);
    client.write(`{"model":"one","prompt":"${words(100 * KB)}`);
    await body.modelKnown();
    expect(memory.take(KB * KB - memory.held)).toBe(true);
    const sent = textOf(body.out('two').body);
    client.end(`${words(200 * KB)}"}`);
    expect(await sent).toBe(`{"model":"two","prompt":"${words(300 * KB)}"}`);
    expect(body.isKept).toBe(false);
  });

  it('that is longer than is kept gives its room back while it is sent', async () => {
    const memory = memoryOf(8);
    const { body, client } = bodyIn(memory);
    client.end(`{"model":"one","prompt":"${words(2 * KB * KB)}"}`);
    await body.modelKnown();
    expect((await textOf(body.out('two').body)).length).toBe(2 * KB * KB + 27);
    expect([body.isKept, memory.held]).toEqual([false, 0]);
  });
});
