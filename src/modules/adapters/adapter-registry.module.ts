import { Module } from '@nestjs/common';
import { AdapterCatalog } from './adapter-catalog.port.js';
import { AdapterVersions } from './adapter-versions.port.js';
import { AliasMoves } from './alias-moves.port.js';
import { PostgresAliasMoves } from './alias-moves.store.js';
import { DeploymentStore } from './deployment.store.js';
import { PostgresCatalog } from './postgres-catalog.js';
import { VersionStore } from './version.store.js';

/** What others need of the adapters: it needs no other module, so that trainings can register and serving can read. */
@Module({
  providers: [
    DeploymentStore,
    VersionStore,
    { provide: AdapterCatalog, useClass: PostgresCatalog },
    { provide: AdapterVersions, useExisting: VersionStore },
    { provide: AliasMoves, useClass: PostgresAliasMoves },
  ],
  exports: [AdapterCatalog, AdapterVersions, AliasMoves, DeploymentStore, VersionStore],
})
export class AdapterRegistryModule {}
