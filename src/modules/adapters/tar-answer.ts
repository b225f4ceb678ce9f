import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import { pack, type Pack } from 'tar-stream';
import { AppError } from '../../kernel/errors.js';
import type { AdapterFile } from './adapter-versions.port.js';

interface Files {
  folder: string;
  files: readonly AdapterFile[];
}

async function fill(tar: Pack, { folder, files }: Files, name: string): Promise<void> {
  for (const file of files) {
    const entry = tar.entry({ name: `${name}/${file.name}`, size: file.bytes, mode: 0o644 });
    await pipeline(createReadStream(join(folder, file.name)), entry);
  }
  tar.finalize();
}

/** Answers with a tar of the files in a folder called `name`. @throws AppError `conflict` where one is missing */
export async function sendTar(response: Response, name: string, content: Files): Promise<void> {
  for (const file of content.files) {
    const stats = await stat(join(content.folder, file.name)).catch(() => undefined);
    if (stats?.size !== file.bytes)
      throw new AppError('conflict', `The file ${file.name} of ${name} is not on this host`);
  }
  response.set({ 'Content-Type': 'application/x-tar', 'Content-Disposition': `attachment; filename="${name}.tar"` });
  const tar = pack();
  const filling = fill(tar, content, name).catch((error: unknown) => tar.destroy(error as Error));
  await pipeline(tar, response).catch((error: unknown) => {
    // Whoever left is told nothing; whoever waits sees that the tar is not whole.
    if (!response.destroyed) throw error;
  });
  await filling;
}
