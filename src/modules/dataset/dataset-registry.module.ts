import { Module } from '@nestjs/common';
import { DatasetFiles } from './dataset-files.port.js';
import { DatasetStatus } from './dataset-status.port.js';
import { DatasetStore } from './dataset.store.js';
import { RegistryFiles } from './registry-files.js';

/** What others need of the datasets: it needs nobody, so that trainings can name sets whoever builds them. */
@Module({
  providers: [
    DatasetStore,
    { provide: DatasetFiles, useClass: RegistryFiles },
    { provide: DatasetStatus, useExisting: DatasetStore },
  ],
  exports: [DatasetStore, DatasetFiles, DatasetStatus],
})
export class DatasetRegistryModule {}
