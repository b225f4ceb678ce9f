import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import OpenAI from 'openai';
import { Issuer } from '../fixtures/issuer.js';
import { OpenAiSite, playRows } from '../fixtures/openai-site.js';

import.meta.jest.setTimeout(120_000);

type Person = 'admin' | 'trainer' | 'other' | 'analyst';

const roles: Record<Person, string> = { admin: 'admin', trainer: 'trainer', other: 'trainer', analyst: 'analyst' };

describe("OpenAI's files, asked with its own client", () => {
  let issuer: Issuer;
  let site: OpenAiSite;
  const as = {} as Record<Person, OpenAI>;

  beforeAll(async () => {
    issuer = await Issuer.start();
    site = await OpenAiSite.start({
      env: { CLARA_SECURITY_MODE: 'development', CLARA_OPENAI_MAX_FILE_MB: '2', ...issuer.env },
    });
    for (const person of Object.keys(roles) as Person[])
      as[person] = site.clientOf(await issuer.token({ sub: `f-${person}`, roles: [roles[person]] }));
  }, 120_000);
  afterAll(async () => {
    await site.app.dispose();
    await issuer.stop();
  });

  const bytesOf = async (id: string, client = as.trainer): Promise<Buffer> =>
    Buffer.from(await (await client.files.content(id)).arrayBuffer());

  const contents: [string, Buffer][] = [
    ['plain rows', Buffer.from('{"messages": []}\n')],
    ['a byte order mark and line ends of Windows', Buffer.from('\uFEFF{"a": "ß"}\r\n{"b": "€"}\r\n')],
    ['Latin-1', Buffer.from('{"a": "Gr\xfc\xdfe"}\n', 'latin1')],
    ['UTF-16', Buffer.from('{"a": "Grüße"}\n', 'utf16le')],
    ['every byte', Buffer.from(Array.from({ length: 512 }, (_, index) => index % 256))],
    ['more than a chunk, by chance', randomBytes(1_500_000)],
  ];

  it.each(contents)('come back byte for byte: %s', async (_name, content) => {
    const bytes = new Uint8Array(content);
    const file = await as.trainer.files.create({ file: new File([bytes], 'Zeilen ä.jsonl'), purpose: 'fine-tune' });
    expect(file).toMatchObject({
      object: 'file',
      bytes: content.length,
      filename: 'Zeilen ä.jsonl',
      purpose: 'fine-tune',
      status: 'processed',
    });
    expect(file.id).toMatch(/^file-[0-9a-f]{24}$/);
    expect(Math.abs(file.created_at - Date.now() / 1000)).toBeLessThan(60);
    expect(await as.trainer.files.retrieve(file.id)).toEqual(file);
    expect((await bytesOf(file.id)).equals(content)).toBe(true);
    expect(await as.trainer.files.delete(file.id)).toEqual({ id: file.id, object: 'file', deleted: true });
  });

  it('belong to who uploaded them; an admin sees all', async () => {
    const id = await site.upload('{}', 'mine.jsonl', as.trainer);
    const hidden = [as.other.files.retrieve(id), as.other.files.content(id), as.other.files.delete(id)];
    for (const answer of hidden) await expect(answer).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    expect((await as.other.files.list()).data.map((file) => file.id)).not.toContain(id);
    expect((await as.admin.files.retrieve(id)).id).toBe(id);
    await as.admin.files.delete(id);
    await expect(as.trainer.files.retrieve(id)).rejects.toMatchObject({ status: 404, param: 'id' });
  });

  it('are listed in pages, in both orders, by purpose, and may be deleted while they are listed', async () => {
    const ids: string[] = [];
    const header = { authorization: `Bearer ${as.other.apiKey}` };
    for (let index = 0; index < 5; index += 1)
      ids.push(await site.upload(`{"n": ${index}}`, `${index}.jsonl`, as.other));
    const other = await as.other.files.create({ file: new File(['x'], 'x.txt'), purpose: 'user_data' });
    const page = await as.other.files.list({ limit: 2, order: 'asc', purpose: 'fine-tune' });
    expect(page.data.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    const { body } = await site.app.call('GET', '/v1/files?limit=2&order=asc&purpose=fine-tune', { headers: header });
    expect(body).toMatchObject({ object: 'list', has_more: true, first_id: ids[0], last_id: ids[1] });
    const newestFirst: string[] = [];
    for await (const file of as.other.files.list({ limit: 2 })) newestFirst.push(file.id);
    expect(newestFirst).toEqual([...ids, other.id].toReversed());
    const deleted: string[] = [];
    for await (const file of as.other.files.list({ limit: 2, order: 'asc' })) {
      await as.other.files.delete(file.id);
      deleted.push(file.id);
    }
    expect(deleted).toEqual([...ids, other.id]);
    const { body: rest } = await site.app.call('GET', '/v1/files', { headers: header });
    expect(rest).toEqual({ object: 'list', data: [], has_more: false, first_id: null, last_id: null });
    await expect(as.other.files.list({ after: 'file-nothing' })).rejects.toMatchObject({ status: 400, param: 'after' });
  });

  it('are refused with the exceptions of the client, and nothing is left of them', async () => {
    const file = (size = 10) => new File(['x'.repeat(size)], 'x.jsonl');
    const create = (body: object, client = as.trainer) => client.files.create(body as OpenAI.FileCreateParams);
    await expect(create({ file: file(), purpose: 'fun' })).rejects.toMatchObject({
      constructor: OpenAI.BadRequestError,
      param: 'purpose',
      type: 'invalid_request_error',
      message: expect.stringContaining('"fun" is not one of fine-tune'),
    });
    await expect(create({ file: file(0), purpose: 'fine-tune' })).rejects.toMatchObject({ status: 400, param: 'file' });
    await expect(create({ purpose: 'fine-tune' })).rejects.toMatchObject({ status: 400, param: 'file' });
    const tooLarge = create({ file: file(2 * 1024 * 1024 + 1), purpose: 'fine-tune' });
    await expect(tooLarge).rejects.toMatchObject({ status: 413, param: 'file' });
    const analyst = create({ file: file(), purpose: 'fine-tune' }, as.analyst);
    await expect(analyst).rejects.toBeInstanceOf(OpenAI.PermissionDeniedError);
    const nobody = create({ file: file(), purpose: 'fine-tune' }, site.clientOf('nobody'));
    await expect(nobody).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    expect(await readdir(join(site.app.data, 'openai/incoming'))).toEqual([]);
  });

  it('go when their time is over', async () => {
    const expires_after = { anchor: 'created_at', seconds: 3600 } as const;
    const kept = await as.trainer.files.create({ file: new File(['{}'], 'a'), purpose: 'fine-tune', expires_after });
    expect(kept.expires_at).toBe(kept.created_at + 3600);
    const tooSoon = as.trainer.files.create({
      file: new File(['{}'], 'a'),
      purpose: 'fine-tune',
      expires_after: { anchor: 'created_at', seconds: 5 },
    });
    await expect(tooSoon).rejects.toMatchObject({ status: 400, param: 'expires_after.seconds' });
  });

  it('that a job needs are not deleted, and a job on a deleted one is refused', async () => {
    const needed = await site.upload(playRows({ steps: 1000, seconds: 0.1 }), 'long.jsonl', as.trainer);
    const job = await as.trainer.fineTuning.jobs.create({ model: 'stand-in', training_file: needed });
    await expect(as.trainer.files.delete(needed)).rejects.toMatchObject({
      constructor: OpenAI.ConflictError,
      message: expect.stringContaining(job.id),
    });
    await as.trainer.fineTuning.jobs.cancel(job.id);
    expect(await as.trainer.files.delete(needed)).toMatchObject({ deleted: true });
    const again = as.trainer.fineTuning.jobs.create({ model: 'stand-in', training_file: needed });
    await expect(again).rejects.toMatchObject({ status: 404, param: 'training_file' });
  });
});
