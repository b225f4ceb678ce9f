/** A file that came out of an archive. */
export interface ArchiveEntry {
  /** Relative, with `/`, never leaving the archive. */
  name: string;
  /** Where it was written: inside the given folder, under a name of ours. */
  path: string;
  bytes: number;
}

export const archiveKinds = ['zip', 'tar', 'gz', 'rar'] as const;
export type ArchiveKind = (typeof archiveKinds)[number];

export interface ArchiveLimits {
  /** Of all entries together, unpacked. */
  maxBytes: number;
  maxEntries: number;
  /** Unpacked to packed, over the whole archive. */
  maxRatio: number;
}

/** Unpacks archives by content, streaming, one level deep; an entry that is an archive again is reported as a file. */
export abstract class ArchiveReader {
  /** What the file is by its first bytes; null: no archive (docx, xlsx, pptx and odt are documents). */
  abstract kindOf(path: string): Promise<ArchiveKind | '7z' | null>;
  /** @throws UnreadableFile for a broken, encrypted or unsupported archive, a bomb, or a path that would escape */
  abstract unpack(path: string, into: string, limits: ArchiveLimits, signal: AbortSignal): Promise<ArchiveEntry[]>;
}
