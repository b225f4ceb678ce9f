import { isUuid } from '../../kernel/uuid.js';
import { MADE_BASE } from './base-models.port.js';

const ALIAS = /^[a-z0-9][a-z0-9._-]{0,62}$/i;
const VERSION_NAME = /-r\d+-v\d+$/i;
const RESERVED: readonly string[] = ['auto', 'previous', 'default', MADE_BASE];

/** What is wrong with the name of an alias; pure. */
export function problemOfAlias(alias: string): string | undefined {
  if (!ALIAS.test(alias))
    return 'has 1 to 63 letters, digits, dots, dashes or underscores, and begins with a letter or a digit';
  if (RESERVED.includes(alias.toLowerCase())) return 'is a word with a meaning of its own; take another name';
  if (isUuid(alias)) return 'looks like the id of a version; take another name';
  if (VERSION_NAME.test(alias)) return 'looks like the name of a version; take another name';
  return undefined;
}

/** What is wrong with the shares of an alias beside its own version; pure. */
export function problemOfSplits(
  versionId: string,
  splits: readonly { versionId: string; weight: number }[],
): string | undefined {
  if (splits.some(({ weight }) => !(weight > 0 && weight <= 1))) return 'each weight is above 0 and at most 1';
  if (splits.reduce((sum, { weight }) => sum + weight, 0) > 1 + 1e-9) return 'the weights are together more than 1';
  const ids = splits.map((split) => split.versionId);
  if (ids.includes(versionId)) return 'the version of the alias takes what is left; it has no weight of its own';
  if (new Set(ids).size < ids.length) return 'a version is named twice';
  return undefined;
}
