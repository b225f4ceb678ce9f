import { builtModule } from './built-module.mjs';
import { root } from './root.mjs';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Stands for everything outside, which is injected but not called while nothing listens. */
const unused = new Proxy(() => undefined, {
  get: (_target, name) => (name === 'then' ? undefined : unused),
  apply: () => unused,
});

/**
 * The API description of the built application, made without a database and without listening.
 * @returns {Promise<object>}
 */
export async function openApi() {
  await import('reflect-metadata');
  const { readSettings } = await builtModule('src/config/settings.js');
  const { createHttpApplication } = await builtModule('src/http-application.js');
  const { openApiDocument } = await builtModule('src/openapi-document.js');
  const { openDocuments } = await builtModule('src/adapters/open-documents.js');
  const { dataSourceOptions } = await builtModule('src/adapters/postgres/data-source.js');
  const { DataSource } = await import('typeorm');
  const settings = readSettings({ CLARA_SECURITY_MODE: 'debug' }, root);
  const nowhere = { host: '', port: 0, user: '', password: '', database: '' };
  const dataSource = new DataSource(dataSourceOptions(nowhere));
  const outside = {
    settings,
    log: silent,
    dataSource,
    wakeups: unused,
    host: unused,
    environment: unused,
    launcher: unused,
    engines: unused,
    tracing: unused,
    documents: openDocuments(settings, dataSource, { trainer: unused, environment: {}, log: silent, clock: unused }),
  };
  const app = await createHttpApplication(outside);
  return openApiDocument(app);
}
