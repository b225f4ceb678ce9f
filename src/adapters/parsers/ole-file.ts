import { open, type FileHandle } from 'node:fs/promises';

/** First bytes of an OLE compound file (Microsoft [MS-CFB] 2.2). */
const MAGIC = Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]);
const HEADER_BYTES = 512;
const ENTRY_BYTES = 128;
const LAST_REGULAR = 0xfffffffa;
/** Sectors of the allocation table that the header lists itself. */
const LISTED = 109;

export const isOle = (head: Buffer): boolean => head.subarray(0, MAGIC.length).equals(MAGIC);

/** What an OLE compound file holds. */
export interface OleLook {
  /** Names of its streams and storages. */
  names: string[];
  /** Chains of sectors that run in a circle or out of the file: readers would never end. */
  sound: boolean;
}

interface Tables {
  file: FileHandle;
  sectorBytes: number;
  fat: Uint32Array;
}

/**
 * Names and soundness of an OLE file, whatever it says of itself; null where it has no readable directory.
 * @param bytes size of the file
 */
export async function lookAtOle(path: string, bytes: number): Promise<OleLook | null> {
  const file = await open(path, 'r');
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    const { bytesRead } = await file.read(header, 0, HEADER_BYTES, 0);
    const shift = header.readUInt16LE(30);
    if (bytesRead < HEADER_BYTES || (shift !== 9 && shift !== 12)) return null;
    const sectorBytes = 1 << shift;
    const sectors = Math.ceil(bytes / sectorBytes);
    const lists = await tableSectors({ file, sectorBytes, fat: new Uint32Array() }, header, sectors);
    if (!lists) return null;
    const tables = { file, sectorBytes, fat: await allocation(file, sectorBytes, lists) };
    const chain = chainFrom(tables.fat, header.readUInt32LE(48), sectors);
    if (!chain || chain.length === 0) return null;
    return await directory(tables, chain, sectors, header.readUInt32LE(56));
  } finally {
    await file.close();
  }
}

async function sector({ file, sectorBytes }: Tables, number: number): Promise<Buffer> {
  const buffer = Buffer.alloc(sectorBytes);
  await file.read(buffer, 0, sectorBytes, (number + 1) * sectorBytes);
  return buffer;
}

/** Sectors that hold the allocation table; null where their list runs in a circle. */
async function tableSectors(tables: Tables, header: Buffer, sectors: number): Promise<number[] | null> {
  const numbers = Array.from({ length: LISTED }, (_, at) => header.readUInt32LE(76 + at * 4));
  let next = header.readUInt32LE(68);
  for (let steps = 0; next < LAST_REGULAR && next < sectors; steps++) {
    if (steps > sectors) return null;
    const more = await sector(tables, next);
    for (let at = 0; at < tables.sectorBytes - 4; at += 4) numbers.push(more.readUInt32LE(at));
    next = more.readUInt32LE(tables.sectorBytes - 4);
  }
  const real = numbers.filter((number) => number < sectors);
  return new Set(real).size === real.length ? real : null;
}

async function allocation(file: FileHandle, sectorBytes: number, lists: readonly number[]): Promise<Uint32Array> {
  const perSector = sectorBytes / 4;
  const fat = new Uint32Array(lists.length * perSector);
  for (const [at, number] of lists.entries()) {
    const buffer = await sector({ file, sectorBytes, fat }, number);
    for (let word = 0; word < perSector; word++) fat[at * perSector + word] = buffer.readUInt32LE(word * 4);
  }
  return fat;
}

/** Null: a circle, or a step out of the file. */
function chainFrom(fat: Uint32Array, start: number, sectors: number): number[] | null {
  const chain: number[] = [];
  for (let at = start; at < LAST_REGULAR; at = fat[at] ?? 0xffffffff) {
    if (at >= sectors || chain.length > sectors) return null;
    chain.push(at);
  }
  return chain;
}

async function directory(tables: Tables, chain: readonly number[], sectors: number, cutoff: number): Promise<OleLook> {
  const names: string[] = [];
  let sound = true;
  for (const number of chain) {
    const buffer = await sector(tables, number);
    for (let at = 0; at < buffer.length; at += ENTRY_BYTES) {
      const entry = buffer.subarray(at, at + ENTRY_BYTES);
      const length = entry.readUInt16LE(64);
      const type = entry[66] ?? 0;
      if (type === 0 || length < 2 || length > 64) continue;
      names.push(entry.subarray(0, length - 2).toString('utf16le'));
      const large = type === 5 || (type === 2 && entry.readUInt32LE(120) >= cutoff);
      if (large && !chainFrom(tables.fat, entry.readUInt32LE(116), sectors)) sound = false;
    }
  }
  return { names, sound };
}
