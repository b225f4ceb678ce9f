import { bool, str } from 'envalid';
import type { SecurityMode } from './security-settings.js';
import { list, whole } from './setting-kinds.js';

/** Rows younger than this are never removed; the database refuses it as well. */
const FEWEST_DAYS = 30;

export const auditSpecs = {
  CLARA_AUDIT_ENABLED: bool({
    default: undefined,
    desc: 'Keep an audit trail. Unset: in every mode but debug. Production does not start without it.',
  }),
  CLARA_AUDIT_HEAD_SECONDS: whole(
    1,
    86_400,
  )({ default: 60, desc: 'How often the head of the audit chain is signed, where there is something new.' }),
  CLARA_AUDIT_HEADS_DIR: str({
    default: undefined,
    desc: 'Folder of heads.jsonl, the signed heads outside the database. Unset: audit in the data folder.',
  }),
  CLARA_AUDIT_OTHER_KEYS: list({
    default: [],
    desc: 'Public keys (npx clara audit key) of other applications on this database, and older ones of this: checkpoints signed with them are believed.',
  }),
  CLARA_AUDIT_DAYS: whole(
    0,
    100_000,
  )({ default: 1095, desc: 'Days that audit rows are kept; at least 30. 0: for ever.' }),
};

type Read = {
  CLARA_SECURITY_MODE: SecurityMode;
  CLARA_AUDIT_ENABLED: boolean | undefined;
  CLARA_AUDIT_HEAD_SECONDS: number;
  CLARA_AUDIT_HEADS_DIR: string | undefined;
  CLARA_AUDIT_OTHER_KEYS: string[];
  CLARA_AUDIT_DAYS: number;
};

export function auditProblems(read: Read): string[] {
  const problems: string[] = [];
  if (read.CLARA_SECURITY_MODE === 'production' && read.CLARA_AUDIT_ENABLED === false)
    problems.push('CLARA_AUDIT_ENABLED: production mode cannot do without its audit trail; unset it');
  if (read.CLARA_AUDIT_DAYS > 0 && read.CLARA_AUDIT_DAYS < FEWEST_DAYS)
    problems.push(
      `CLARA_AUDIT_DAYS: ${read.CLARA_AUDIT_DAYS} is too few; set ${FEWEST_DAYS} or more, or 0 to keep all`,
    );
  return problems;
}

export const auditOf = (read: Read) =>
  ({
    enabled: read.CLARA_AUDIT_ENABLED ?? read.CLARA_SECURITY_MODE !== 'debug',
    headSeconds: read.CLARA_AUDIT_HEAD_SECONDS,
    headsDir: read.CLARA_AUDIT_HEADS_DIR,
    otherKeys: read.CLARA_AUDIT_OTHER_KEYS,
    days: read.CLARA_AUDIT_DAYS,
  }) as const;
