import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { rowsOf } from '../../kernel/transaction.js';
import { DatasetTotals } from './dataset-totals.port.js';

/** Reads the counts that the database keeps up itself: their number is that of owners, readers and states. */
@Injectable()
export class CountedDatasets extends DatasetTotals {
  constructor(private readonly source: DataSource) {
    super();
  }

  async count(): Promise<number> {
    const [row] = await rowsOf<{ datasets: number }>(
      this.source,
      'SELECT coalesce(sum(datasets), 0)::bigint AS datasets FROM dataset_counts',
    );
    return row?.datasets ?? 0;
  }
}
