import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean, IsIn } from 'class-validator';
import { Optional } from '../../kernel/optional.js';
import { CursorField, PageLimit, WholeField, WordField } from '../../kernel/query-fields.js';
import { datasetStates, type DatasetState } from './dataset-record.js';
import { exportFormats, type ExportFormat } from './formats/export-row.js';
import { splits, type Split } from './version-row.js';

const VersionField = (): PropertyDecorator => WholeField(1, 1_000_000);

export class ListDatasetsQuery {
  @WordField(datasetStates)
  status?: DatasetState;

  /** Sets on a page, 1 to 1000; more is cut to 1000. */
  @PageLimit()
  limit?: number;

  /** Sets to leave out at the front; `cursor` is quicker far down. */
  @WholeField(0, 100_000_000)
  offset?: number;

  /** `next_cursor` of the page before. */
  @CursorField()
  cursor?: string;
}

export class VersionQuery {
  /** Number of a version; the newest completed one by default. */
  @VersionField()
  version?: number;
}

export class VersionsQuery {
  /** Versions on a page, 1 to 1000; more is cut to 1000. */
  @PageLimit()
  limit?: number;

  /** `next_before` of the page before. */
  @VersionField()
  before?: number;
}

export class ExportDto extends VersionQuery {
  @ApiProperty({ enum: exportFormats })
  @IsIn(exportFormats)
  format!: ExportFormat;

  /** false: only what is trained on. */
  @Optional()
  @IsBoolean()
  include_metadata?: boolean;

  /** Only rows of this split. */
  @WordField(splits)
  split?: Split;
}

export class DownloadQuery extends VersionQuery {
  /** jsonl by default. */
  @WordField(exportFormats)
  format?: ExportFormat;

  @WordField(splits)
  split?: Split;

  /** `false`: only what is trained on. */
  @WordField(['true', 'false', '1', '0'])
  include_metadata?: string;
}

/** A page of rows, by their ordinals. */
export class RowsQuery {
  /** Rows on a page, 1 to 1000; more is cut to 1000. */
  @PageLimit()
  limit?: number;

  /** First row, from 0; `next_from` of the page before. */
  @WholeField(0, 1_000_000_000)
  from?: number;

  @WordField(splits)
  split?: Split;
}

export class LineageQuery extends VersionQuery {
  /** Rows on a page, 1 to 1000; more is cut to 1000. */
  @PageLimit()
  limit?: number;

  /** First row, from 0; `next_from` of the page before. */
  @WholeField(0, 1_000_000_000)
  from?: number;
}

export class DiffQuery {
  /** The older version; the completed one before `to` by default. */
  @VersionField()
  from?: number;

  /** The newer version; the newest completed one by default. */
  @VersionField()
  to?: number;

  /** Rows that are shown of each kind, 1 to 1000; more is cut to 1000. */
  @PageLimit()
  limit?: number;
}
