import { FakeCatalog, versionOf } from '../../../test/fixtures/registry.js';
import type { CatalogSnapshot } from './adapter-catalog.port.js';

/** A registry that learns of its one version by reading the database. */
class LateCatalog extends FakeCatalog {
  reads = 0;

  override refresh(): Promise<void> {
    this.reads += 1;
    this.become([versionOf(1)], []);
    return Promise.resolve();
  }
}

const named =
  (name: string) =>
  ({ versions }: CatalogSnapshot) =>
    versions.find((version) => version.name === name);

describe('the registry in memory', () => {
  it('is read anew for what it does not know, and only then', async () => {
    const catalog = new LateCatalog();
    expect(await catalog.found(named(versionOf(1).name))).toEqual(versionOf(1));
    expect(await catalog.found(named(versionOf(1).name))).toEqual(versionOf(1));
    expect(catalog.reads).toBe(1);
    expect(await catalog.found(named('nobody'))).toBeUndefined();
    expect(catalog.reads).toBe(2);
  });
});
