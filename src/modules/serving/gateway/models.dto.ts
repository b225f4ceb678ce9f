import { ApiProperty } from '@nestjs/swagger';
import type { ListedModel } from './model-list.js';

export class ModelDto implements ListedModel {
  id!: string;
  @ApiProperty({ enum: ['model'] })
  object!: 'model';
  /** Seconds since 1970. */
  @ApiProperty({ type: 'integer' })
  created!: number;
  @ApiProperty({ enum: ['clara'] })
  owned_by!: 'clara';
  /** The base under all. */
  @ApiProperty({ type: String, nullable: true })
  root!: string | null;
  /** What it stands on; of an alias its version. */
  @ApiProperty({ type: String, nullable: true })
  parent!: string | null;
}

export class ModelListDto {
  @ApiProperty({ enum: ['list'] })
  object!: 'list';
  data!: ModelDto[];
}
