import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { rowsOf } from '../../kernel/transaction.js';
import { DatasetCount } from './dataset-count.port.js';

/** Reads the counts that every change keeps. */
@Injectable()
export class CountedDatasets extends DatasetCount {
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
