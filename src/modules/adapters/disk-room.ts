import { mkdir, statfs } from 'node:fs/promises';
import type { Settings } from '../../config/settings.js';
import { AppError } from '../../kernel/errors.js';

const mb = (bytes: number): number => Math.round(bytes / 1024 / 1024);

/** @throws AppError `insufficient_storage` where `bytes` more would leave less than the free space that must stay */
export async function mustHaveRoom(settings: Settings, bytes: number): Promise<void> {
  const { data } = settings.folders;
  await mkdir(data, { recursive: true, mode: 0o700 });
  const { bavail, bsize } = await statfs(data);
  const free = bavail * bsize;
  const { minFreeDiskBytes } = settings.training;
  if (free - bytes >= minFreeDiskBytes) return;
  throw new AppError(
    'insufficient_storage',
    `The data folder has ${mb(free)} MB free; ${mb(bytes)} MB more would leave less than CLARA_MIN_FREE_DISK_MB (${mb(minFreeDiskBytes)})`,
  );
}
