import { cpus } from 'node:os';
import { whole } from './setting-kinds.js';

const MOST_WORKERS = 64;
const MEGABYTE = 1_048_576;

export const parserSpecs = {
  CLARA_PARSE_WORKERS: whole(
    1,
    MOST_WORKERS,
  )({
    default: undefined,
    desc: 'Files that are parsed at the same time, each in a process. Unset: half of the cores.',
  }),
  CLARA_PARSE_TIMEOUT_SECONDS: whole(1, 86_400)({ default: 120, desc: 'Longest time that parsing a file may take.' }),
  CLARA_PARSE_MEMORY_MB: whole(
    256,
    1_048_576,
  )({
    default: 512,
    desc: 'Resident memory that a parser process may take; one that takes more is ended, and its file fails.',
  }),
  CLARA_MAX_FILE_MB: whole(
    1,
    4096,
  )({
    default: 100,
    desc: 'Largest file of a format that must be read whole (pdf, office, html, json, eml, rtf), packed or unpacked. txt, md, csv, tsv, jsonl and xml are streamed.',
  }),
  CLARA_MAX_TEXT_MB: whole(
    1,
    1024,
  )({
    default: 256,
    desc: 'Most text of one document, in millions of characters; the application holds it while it is ingested.',
  }),
};

type Read = {
  CLARA_PARSE_WORKERS: number | undefined;
  CLARA_PARSE_TIMEOUT_SECONDS: number;
  CLARA_PARSE_MEMORY_MB: number;
  CLARA_MAX_FILE_MB: number;
  CLARA_MAX_TEXT_MB: number;
};

export const parserOf = (read: Read) =>
  ({
    workers: read.CLARA_PARSE_WORKERS ?? Math.max(1, Math.floor(cpus().length / 2)),
    memoryMb: read.CLARA_PARSE_MEMORY_MB,
    timeoutMs: read.CLARA_PARSE_TIMEOUT_SECONDS * 1000,
    maxFileBytes: read.CLARA_MAX_FILE_MB * MEGABYTE,
    maxTextCharacters: read.CLARA_MAX_TEXT_MB * MEGABYTE,
  }) as const;
