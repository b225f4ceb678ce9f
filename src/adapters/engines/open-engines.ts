import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Settings } from '../../config/settings.js';
import { baseSlug, ggufSlug, MADE_BASE } from '../../kernel/base-slug.js';
import type { Clock } from '../../kernel/clock.js';
import type { Log } from '../../kernel/log.js';
import { EngineUnavailable } from '../../modules/serving/engine.port.js';
import { Engines } from '../../modules/serving/engines.port.js';
import type { ThisHost } from '../host/this-host.js';
import type { TrainerInstallation } from '../launchers/trainer-installation.js';
import type { ChildEngine } from './child-engine.js';
import { EmbeddedEngine } from './embedded-engine.js';
import { LlamacppEngine } from './llamacpp-engine.js';
import { OllamaEngine } from './ollama-engine.js';
import type { ServerEngine } from './server-engine.js';
import { SpawnedVllm } from './spawned-vllm.js';
import { VllmServer } from './vllm-server.js';

interface Parts {
  trainer: Pick<TrainerInstallation, 'status' | 'python' | 'defaultModel' | 'onChange'>;
  host: Pick<ThisHost, 'gpus' | 'visibleDevices'>;
  environment: Readonly<Record<string, string | undefined>>;
  log: Log;
  clock: Clock;
}

const ELSEWHERE =
  'llama.cpp cannot be installed here; take CLARA_SERVING_ENGINE=embedded, ollama or vllm, or run CLARA out of its sources';

type Needed = Pick<Settings, 'root' | 'serving' | 'folders' | 'training'>;

/** The engines that the settings name; nothing is started before its first use. */
export function openEngines(settings: Needed, parts: Parts): Engines {
  return new OpenedEngines(enginesOf(settings, parts));
}

class OpenedEngines extends Engines {
  constructor(readonly all: readonly (ChildEngine | ServerEngine)[]) {
    super();
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((engine) => engine.close()));
  }
}

function enginesOf(settings: Needed, parts: Parts): (ChildEngine | ServerEngine)[] {
  const { serving } = settings;
  switch (serving.engine) {
    case 'embedded':
      return [embedded(settings, parts)];
    case 'vllm':
      return serving.vllmCommand
        ? [spawned({ ...serving, command: serving.vllmCommand }, parts)]
        : serving.urls.map(
            (url, index) =>
              new VllmServer({ id: `vllm-${index + 1}`, url, key: serving.apiKey, pathMap: serving.pathMap }, parts),
          );
    case 'llamacpp':
      return [llamacpp(settings, parts)];
    case 'ollama':
      return serving.urls.map((url, index) => ollama(settings, { id: `ollama-${index + 1}`, url }, parts));
  }
}

function embedded({ serving, folders, training }: Needed, parts: Parts): ChildEngine {
  const { trainer, host, environment } = parts;
  const installation = {
    found: () => {
      const base = trainer.defaultModel();
      return trainer.status().ready && base !== undefined ? { python: trainer.python(), base } : undefined;
    },
    onChange: (listener: () => void) => trainer.onChange(listener),
  };
  const wantsGpu = serving.device === 'cuda' || (serving.device === 'auto' && host.gpus > 0);
  const options = {
    ...serving,
    id: 'embedded',
    trainer: folders.trainer,
    slugOf: (base: string) => (training.baseModel === undefined ? MADE_BASE : baseSlug(base)),
    device: wantsGpu ? ('cuda' as const) : ('cpu' as const),
    visibleDevices: (gpus: readonly number[]) => host.visibleDevices(gpus),
    environment,
  };
  return new EmbeddedEngine(options, installation, { ...parts, startMs: serving.startMs });
}

const spawned = (serving: Needed['serving'] & { command: readonly string[] }, parts: Parts): ChildEngine =>
  new SpawnedVllm({ ...serving, id: 'vllm', key: serving.apiKey, environment: parts.environment }, parts.clock, {
    ...parts,
    startMs: serving.startMs,
  });

function llamacpp({ root, serving, folders, training }: Needed, parts: Parts): ChildEngine {
  const gguf = resolve(root, serving.gguf ?? '');
  const options = {
    ...serving,
    id: 'llamacpp',
    root,
    gguf,
    base: training.baseModel === undefined ? ggufSlug(gguf) : baseSlug(training.baseModel),
    cache: folders.cache,
    trainer: folders.trainer,
    environment: parts.environment,
  };
  const install = async (): Promise<string> => {
    const script = join(root, 'scripts', 'install-llamacpp.mjs');
    await access(script).catch(() => {
      throw new EngineUnavailable(`${script} is not there: ${ELSEWHERE}`);
    });
    const { installLlamacpp } = (await import(script)) as {
      installLlamacpp: (options: { cacheDir: string; onProgress: (line: string) => void }) => Promise<string>;
    };
    return installLlamacpp({ cacheDir: folders.cache, onProgress: (line) => parts.log.info(line) });
  };
  return new LlamacppEngine(options, install, { ...parts, startMs: serving.startMs });
}

const ollama = (
  { serving, folders, training }: Needed,
  place: { id: string; url: string },
  parts: Parts,
): ServerEngine =>
  new OllamaEngine(
    {
      ...place,
      key: serving.apiKey,
      model: serving.ollamaModel ?? '',
      trainedOn: training.baseModel,
      cache: folders.cache,
      trainer: folders.trainer,
    },
    parts,
  );
