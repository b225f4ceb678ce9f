/** What OpenAI's API names; nothing but fine-tuning uses the others here, they are kept and handed out. */
export const uploadPurposes = ['fine-tune', 'assistants', 'batch', 'vision', 'user_data', 'evals'] as const;
export type UploadPurpose = (typeof uploadPurposes)[number];
export type FilePurpose = UploadPurpose | 'fine-tune-results';

/** A file of /v1/files; names are those of the table. */
export interface OpenAiFile {
  /** `file-` and 24 hexadecimal digits. */
  id: string;
  seq: number;
  filename: string;
  purpose: FilePurpose;
  bytes: number;
  sha256: string;
  /** Under the data folder. */
  path: string;
  created_by: string;
  created_at: Date;
  expires_at: Date | null;
}

/** Seconds since 1970, as OpenAI's API tells every time. */
export const unixSeconds = (date: Date): number => Math.floor(date.getTime() / 1000);
