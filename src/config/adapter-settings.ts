import { EnvError, makeValidator } from 'envalid';
import { decimal, whole } from './setting-kinds.js';

const organisation = makeValidator<string>((input) => {
  if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(input))
    throw new EnvError(`"${input}" is not 1 to 40 small letters, digits or dashes`);
  return input;
});

export const adapterSpecs = {
  CLARA_ORG: organisation({
    default: 'clara',
    desc: 'The organisation in the ids of trained models, ft:<base>:<organisation>:<suffix>:<id>.',
  }),
  CLARA_ADAPTER_MAX_UPLOAD_MB: whole(
    1,
    1_000_000,
  )({ default: 2048, desc: 'Largest adapter that POST /api/adapters takes, all its files together.' }),
  CLARA_EXPORT_MINUTES: decimal(0.01, 10_000)({ default: 60, desc: 'Longest time the export of an adapter may take.' }),
};

type Read = {
  CLARA_ORG: string;
  CLARA_ADAPTER_MAX_UPLOAD_MB: number;
  CLARA_EXPORT_MINUTES: number;
};

export const adaptersOf = (read: Read) =>
  ({
    organisation: read.CLARA_ORG,
    maxUploadBytes: read.CLARA_ADAPTER_MAX_UPLOAD_MB * 1024 * 1024,
    exportSeconds: read.CLARA_EXPORT_MINUTES * 60,
  }) as const;
