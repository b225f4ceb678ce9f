import { Module } from '@nestjs/common';
import { DatasetCount } from './dataset-count.port.js';
import { DatasetFiles } from './dataset-files.port.js';
import { DatasetStore } from './dataset.store.js';
import { RegistryFiles } from './registry-files.js';

/** What others need of the datasets: it needs nobody, so that trainings can name sets whoever builds them. */
@Module({
  providers: [
    DatasetStore,
    { provide: DatasetCount, useExisting: DatasetStore },
    { provide: DatasetFiles, useClass: RegistryFiles },
  ],
  exports: [DatasetCount, DatasetStore, DatasetFiles],
})
export class DatasetRegistryModule {}
