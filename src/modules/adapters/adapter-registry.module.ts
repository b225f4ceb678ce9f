import { Module } from '@nestjs/common';
import { AdapterCatalog } from './adapter-catalog.port.js';
import { AdapterPlace } from './adapter-place.js';
import { AdapterVersions } from './adapter-versions.port.js';
import { AliasMoves } from './alias-moves.port.js';
import { PostgresAliasMoves } from './alias-moves.store.js';
import { BaseModels } from './base-models.port.js';
import { CheckpointVersions } from './checkpoint-versions.port.js';
import { RegisteredCheckpoints } from './checkpoint-versions.js';
import { CompletedAdapters } from '../training/completed-adapter.port.js';
import { HostBaseModels } from './host-base-models.js';
import { TrainedAdapters } from './trained-adapters.js';
import { DeploymentStore } from './deployment.store.js';
import { PostgresCatalog } from './postgres-catalog.js';
import { VersionStore } from './version.store.js';

/** What others need of the adapters: it needs no other module, so that trainings can register and serving can read. */
@Module({
  providers: [
    AdapterPlace,
    DeploymentStore,
    VersionStore,
    { provide: AdapterCatalog, useClass: PostgresCatalog },
    { provide: AdapterVersions, useExisting: VersionStore },
    { provide: AliasMoves, useClass: PostgresAliasMoves },
    { provide: BaseModels, useClass: HostBaseModels },
    { provide: CheckpointVersions, useClass: RegisteredCheckpoints },
    { provide: CompletedAdapters, useClass: TrainedAdapters },
  ],
  exports: [
    AdapterCatalog,
    AdapterPlace,
    AdapterVersions,
    AliasMoves,
    BaseModels,
    CheckpointVersions,
    CompletedAdapters,
    DeploymentStore,
    VersionStore,
  ],
})
export class AdapterRegistryModule {}
