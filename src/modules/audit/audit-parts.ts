import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import type { Settings } from '../../config/settings.js';
import type { Log } from '../../kernel/log.js';
import { Chainer } from './chainer.js';
import { HeadFile } from './head-file.js';
import { PostgresAuditTrail } from './postgres-audit-trail.js';
import { AuditKeys } from './signer.js';
import { Subjects } from './subjects.js';
import { Verifier } from './verifier.js';

/** What the trail is made of, for the application and for the commands. */
export interface AuditParts {
  keys: AuditKeys;
  subjects: Subjects;
  trail: PostgresAuditTrail;
  chainer: Chainer;
  verifier: Verifier;
}

type Needed = Pick<Settings, 'folders' | 'audit' | 'root'>;

export async function openAudit(settings: Needed, source: DataSource, log: Log): Promise<AuditParts> {
  const folder = join(settings.folders.data, 'audit');
  const keys = await AuditKeys.open(folder);
  const file = new HeadFile(join(settings.audit.headsDir ?? folder, 'heads.jsonl'));
  const subjects = new Subjects(source, keys);
  return {
    keys,
    subjects,
    trail: new PostgresAuditTrail(source, subjects, log),
    chainer: new Chainer(source, keys, file),
    verifier: new Verifier(source, keys, file, settings.audit.otherKeys),
  };
}

/** The parts of the trail, where one is kept. */
export class AuditKeeping {
  constructor(readonly parts: AuditParts | null) {}
}
