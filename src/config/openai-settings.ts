import { str } from 'envalid';
import { whole } from './setting-kinds.js';

export const openAiSpecs = {
  CLARA_OPENAI_MAX_FILE_MB: whole(
    1,
    1_000_000,
  )({ default: 512, desc: 'Largest file that POST /v1/files takes; the default is the limit of OpenAI.' }),
  CLARA_OPENAI_CONFIG: str({
    default: 'configs/lora_config.yaml',
    desc: 'Configuration that jobs of /v1/fine_tuning take, under what they set themselves. In one of CLARA_CONFIG_DIRS.',
  }),
};

type Read = {
  CLARA_OPENAI_MAX_FILE_MB: number;
  CLARA_OPENAI_CONFIG: string;
};

export const openAiOf = (read: Read) =>
  ({
    maxFileBytes: read.CLARA_OPENAI_MAX_FILE_MB * 1024 * 1024,
    config: read.CLARA_OPENAI_CONFIG,
  }) as const;
