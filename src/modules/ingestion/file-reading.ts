import { mkdir } from 'node:fs/promises';
import { Injectable } from '@nestjs/common';
import { digestOf } from '../../kernel/file-digest.js';
import { Settings } from '../../config/settings.js';
import { ArchiveReader, type ArchiveKind } from '../documents/archive-reader.port.js';
import {
  DocumentParser,
  UnreadableFile,
  type OcrProgress,
  type ParsedDocument,
} from '../documents/document-parser.port.js';
import { type Belonging, DocumentPublication, type Published } from '../documents/document-publication.port.js';
import { ChunkSizing } from './chunk-sizes.js';
import { makeDocument } from './document-making.js';
import { cleanFileName, uniqueNames } from './file-name.js';
import type { FileRow, JobRow } from './ingestion.entity.js';
import type { NamedFile } from './ingestion-queue.store.js';
import { OriginalFiles } from './original-files.js';

/** What became of a file. */
export type Reading = { kind: 'published'; published: Published } | { kind: 'unpacked'; entries: NamedFile[] };

/** Archives in archives in archives: nobody needs more. */
const DEEPEST = 3;

/** Reads one file: an archive gives files, anything else a document. */
@Injectable()
export class FileReading {
  constructor(
    private readonly settings: Settings,
    private readonly originals: OriginalFiles,
    private readonly archives: ArchiveReader,
    private readonly parser: DocumentParser,
    private readonly sizing: ChunkSizing,
    private readonly publication: DocumentPublication,
  ) {}

  /** @throws UnreadableFile */
  async read(
    file: FileRow,
    job: JobRow,
    signal: AbortSignal,
    heard: (progress: OcrProgress) => void,
  ): Promise<Reading> {
    const path = await this.originals.locate(file.path, file.sha256);
    if (path === null) throw new UnreadableFile('broken', 'the uploaded bytes are gone; upload the file again');
    if (file.bytes === 0) throw new UnreadableFile('empty', 'the file has no bytes');
    const belonging = { owner: job.created_by, name: file.name, readers: job.readers, tags: job.tags };
    const known = await this.publication.known(file.sha256, belonging);
    if (known) return this.#alreadyThere(file, known);
    const archive = await this.archives.kindOf(path);
    if (archive !== null) return { kind: 'unpacked', entries: await this.#unpack(file, path, archive, signal) };
    const parsed = await this.parser.parse({ path, filename: file.name }, signal, heard);
    return { kind: 'published', published: await this.#publish({ ...file, path }, parsed, belonging, signal) };
  }

  /** The bytes of an archive whose files have taken its place. */
  async discard({ path, sha256 }: FileRow): Promise<void> {
    if (path !== null && path !== this.originals.originalPath(sha256)) await this.originals.remove(path);
  }

  async #alreadyThere(file: FileRow, published: Published): Promise<Reading> {
    await this.discard(file);
    return { kind: 'published', published };
  }

  async #publish(
    file: FileRow & { path: string },
    parsed: ParsedDocument,
    belonging: Belonging,
    signal: AbortSignal,
  ): Promise<Published> {
    const document = await makeDocument(parsed, file, belonging, await this.sizing.sizes());
    signal.throwIfAborted();
    await this.originals.keep(file);
    return this.publication.publish(document);
  }

  async #unpack(file: FileRow, path: string, archive: ArchiveKind | '7z', signal: AbortSignal): Promise<NamedFile[]> {
    if (archive === '7z')
      throw new UnreadableFile('unsupported', '7z archives are not unpacked; pack the files as zip or tar.gz');
    if (file.depth >= DEEPEST)
      throw new UnreadableFile('unsupported', `archives are unpacked ${DEEPEST} deep at most; this one lies deeper`);
    const into = await this.originals.stagingPath();
    await mkdir(into, { mode: 0o700 });
    try {
      const found = await this.archives.unpack(path, into, this.settings.ingestion.archives, signal);
      const names = uniqueNames(found.map(({ name }) => `${file.name}/${cleanFileName(name)}`));
      const entries: NamedFile[] = [];
      for (const [index, entry] of found.entries()) {
        const name = names[index] ?? entry.name;
        entries.push({ name, path: entry.path, depth: file.depth + 1, ...(await digestOf(entry.path)) });
      }
      return entries;
    } catch (error) {
      await this.originals.remove(into);
      throw error;
    }
  }
}
