import { Module } from '@nestjs/common';
import { CountedDatasets } from './counted-datasets.js';
import { DatasetFiles } from './dataset-files.port.js';
import { DatasetTotals } from './dataset-totals.port.js';
import { DatasetStore } from './dataset.store.js';
import { RegistryFiles } from './registry-files.js';

/** What others need of the datasets: it needs nobody, so that trainings can name sets whoever builds them. */
@Module({
  providers: [
    DatasetStore,
    { provide: DatasetFiles, useClass: RegistryFiles },
    { provide: DatasetTotals, useClass: CountedDatasets },
  ],
  exports: [DatasetStore, DatasetFiles, DatasetTotals],
})
export class DatasetRegistryModule {}
