import type { CatalogVersion } from '../adapters/adapter-catalog.port.js';

/** What answers a request: the base model alone, or a version on top of it. */
export type Target = { kind: 'base' } | { kind: 'version'; version: CatalogVersion };
